/** Filling a repeat from the register: `prefill: "roster.entitlement"`, `key`, `map: "item_code=item_code qty=qty"`. */
import type { Answer, FieldState, FormSession } from "../forms";
import { lookUp } from "../app/names";

interface Source {
  rows: Record<string, Answer>[];
  map: [question: string, column: string][];
}

function sourceOf(field: FieldState, session: FormSession): Source | undefined {
  const { prefill, key, map } = field.parameters ?? {};
  const [list = "", column = ""] = (prefill ?? "").split(".");
  const id = key && session.field(key)?.value;
  if (!column || typeof id !== "string" || !map) return undefined;
  const rows = lookUp(list).get(id)?.[column];
  if (!Array.isArray(rows) || !rows.length) return undefined;
  const pairs = map.split(/\s+/).map((pair) => pair.split("=") as [string, string]);
  return { rows: rows as Record<string, Answer>[], map: pairs };
}

export const canPrefill = (field: FieldState, session: FormSession) => sourceOf(field, session) !== undefined;

/** One instance for each row of the source, in place of what was there. */
export function prefillRepeat(field: FieldState, session: FormSession): void {
  const source = sourceOf(field, session);
  if (!source) return;
  for (let index = (field.instances?.length ?? 0) - 1; index >= 0; index -= 1) session.removeInstance(field.path, index);
  source.rows.forEach((row, index) => {
    session.addInstance(field.path);
    for (const [question, column] of source.map) session.set(`${field.path}[${index}].${question}`, row[column]);
  });
}
