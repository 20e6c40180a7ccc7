/** Units: what a record is about. A form belongs to the unit whose register list its first such question asks for. */
import type { CompiledForm, CompiledRow } from "../forms";

export type UnitKind = "household" | "point" | "roster";
export const UNIT_KINDS: UnitKind[] = ["household", "point", "roster"];

const LISTS: Record<string, UnitKind> = { households: "household", points: "point", roster: "roster" };

/** The form that the list's button starts and its marks speak of comes first; others for the same unit are offered beside it. */
export function mainFirst<Form extends Pick<CompiledForm, "form_id">>(kind: UnitKind, forms: Form[], settings: Record<string, unknown>): Form[] {
  const list = Object.keys(LISTS).find((name) => LISTS[name] === kind) ?? "";
  const main = (settings["main_forms"] as Record<string, unknown> | undefined)?.[list];
  const isMain = (form: Form) => form.form_id === main;
  return [...forms.filter(isMain), ...forms.filter((form) => !isMain(form))];
}

function* questions(rows: CompiledRow[]): Generator<CompiledRow> {
  for (const row of rows) {
    if (row.type === "begin_repeat") continue;
    if (row.children) yield* questions(row.children);
    else yield row;
  }
}

/** The answer by which a form says how its unit stands; the words of a kind, such as 走访 and 已联系, are about such forms. */
const SAYS: Record<UnitKind, string> = { household: "visit_result", point: "ended_at", roster: "delivery_result" };

/** Whose words a list speaks: its kind's, or those that fit any form. */
export function wordsFor(kind: UnitKind, main: CompiledForm | undefined): UnitKind | "unit" {
  return !main || [...questions(main.survey)].some((row) => row.name === SAYS[kind]) ? kind : "unit";
}

export function unitOf(form: CompiledForm): UnitKind | undefined {
  for (const row of questions(form.survey)) {
    const kind = row.list && row.type.endsWith("_from_file") ? LISTS[row.list] : undefined;
    if (kind) return kind;
  }
  return undefined;
}

/** The name of the question that holds the unit's id. */
export function unitQuestion(form: CompiledForm): string | undefined {
  for (const row of questions(form.survey)) if (row.list && row.type.endsWith("_from_file") && LISTS[row.list]) return row.name;
  return undefined;
}

/** What a register entry answers by itself: every register question whose name is one of the entry's fields. */
export function prefill(form: CompiledForm, entry: Record<string, unknown>): Record<string, string> {
  const answers: Record<string, string> = {};
  for (const row of questions(form.survey)) {
    const value = entry[row.name];
    if (row.type.endsWith("_from_file") && typeof value === "string") answers[row.name] = value;
  }
  return answers;
}
