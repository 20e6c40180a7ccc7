/** Words for units, register entries and codes that come from forms and registers rather than from the app. */
import { say } from "../i18n";
import type { CompiledForm, FormContext, Text } from "../forms";
import { mainFirst, unitOf, wordsFor, type UnitKind } from "../lists/units";
import { currentForms, forms, register, settings } from "./state";

export const formTitle = (form: Pick<CompiledForm, "title" | "form_id"> | undefined, id = ""): string => say(form?.title) || form?.form_id || id;
export const formOf = (id: string, version: string): CompiledForm | undefined => forms.value.get(`${id}:${version}`);
export const formsFor = (kind: UnitKind): CompiledForm[] =>
  mainFirst(
    kind,
    currentForms.value.filter((form) => unitOf(form) === kind),
    settings.value,
  );
export const wordsOf = (kind: UnitKind): UnitKind | "unit" => wordsFor(kind, formsFor(kind)[0]);
export const formsWithoutUnit = (): CompiledForm[] => currentForms.value.filter((form) => unitOf(form) === undefined);

/** The label of a choice code, looked for in the lists of the unit's own forms first. */
export function codeLabel(kind: UnitKind, code: string | undefined): string {
  if (!code) return "";
  for (const form of [...formsFor(kind), ...currentForms.value]) {
    for (const list of Object.values(form.choices)) {
      const choice = list.find((each) => each.name === code);
      if (choice) return say(choice.label);
    }
  }
  return code;
}

type Entry = Record<string, unknown>;

export function entryLabel(entry: Entry | undefined): string {
  if (!entry) return "";
  const parts = [entry["entry_no"], entry["door_no"], entry["head_name"]].filter((part) => part !== undefined && part !== "");
  if (parts.length) return parts.join(" ");
  const name = entry["name"];
  return typeof name === "string" ? name : say(name as Text | undefined);
}

export const entrySearch = (id: string, entry: Entry): string =>
  [id, entryLabel(entry), entry["name_search"], entry["head_search"], entry["address"]].filter(Boolean).join(" ").toLowerCase();

export function unitLabel(kind: UnitKind, id: string): string {
  const held = register.value.held;
  const entry = kind === "household" ? held.households.get(id) : kind === "point" ? held.points.get(id) : held.roster.get(id);
  return entryLabel(entry as Entry | undefined) || id;
}

const EMPTY: ReadonlyMap<string, Entry> = new Map();

/** The register lists that forms look into. */
export const lookUp: FormContext["list"] = (name) => {
  const held = register.value.held;
  const lists: Record<string, unknown> = {
    households: held.households,
    points: held.points,
    roster: held.roster,
    campaigns: held.campaigns,
    fillers: held.fillers,
    stations: held.stations,
  };
  return (lists[name] as ReadonlyMap<string, Entry> | undefined) ?? EMPTY;
};
