/** A compiled form's rows by name, with what the session has to know of their places. */
import type { CompiledForm, CompiledRow } from "./types";

export interface Entry {
  row: CompiledRow;
  /** The repeats around it, outermost first. */
  chain: readonly string[];
  parent: string | undefined;
  /** Place in the order of evaluation. */
  order: number;
  inEnvelope: boolean;
}
export type Structure = ReadonlyMap<string, Entry>;

export function structureOf(form: CompiledForm): Structure {
  const order = new Map(form.order.map((name, at) => [name, at]));
  const entries = new Map<string, Entry>();
  const visit = (rows: CompiledRow[], chain: readonly string[], parent: string | undefined, inEnvelope: boolean): void => {
    for (const row of rows) {
      entries.set(row.name, { row, chain, parent, order: order.get(row.name) ?? 0, inEnvelope });
      if (row.children) visit(row.children, row.type === "begin_repeat" ? [...chain, row.name] : chain, row.name, inEnvelope);
    }
  };
  visit(form.envelope, [], undefined, true);
  visit(form.survey, [], undefined, false);
  return entries;
}

const METADATA = new Set(["start", "end", "today", "deviceid", "username", "hidden"]);

export const isRepeat = (row: CompiledRow): boolean => row.type === "begin_repeat";
export const isContainer = (row: CompiledRow): boolean => isRepeat(row) || row.type === "begin_group";
export const isUnseen = (row: CompiledRow): boolean =>
  METADATA.has(row.type) || row.type === "calculate" || row.appearance === "hidden";
