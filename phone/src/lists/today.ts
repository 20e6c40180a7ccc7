/**
 * What is still to do today: the register's summaries, overlaid with what this phone knows better because it has not been
 * counted yet. Pure.
 */
import { beijingTime } from "../clock";
import type { FormRecord, Household, Point, RosterEntry } from "../documents";
import type { UnitKind } from "./units";

export type Todo = "todo" | "tried" | "done";
export interface Row {
  kind: UnitKind;
  id: string;
  title: string;
  subtitle: string;
  todo: Todo;
  /** Code of the last result, from the register or from this phone. */
  result?: string;
  /** Time or day of that result. */
  at?: string;
  /** Appointment or due time. */
  next?: string;
  /** From this phone's own records, not yet in the register. */
  own: boolean;
  haystack: string;
  order: string;
}

/** What one of this phone's records says of its unit. */
export interface Effect {
  todo: Todo;
  result?: string;
  at: string;
  next?: string;
}

const RESOLVED = new Set(["vacant", "moved", "absent_known"]);
const DELIVERED = new Set(["delivered_self", "delivered_proxy", "left_door"]);

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

// A form that asks for no result is done once it is filled.
const settles = (result: string | undefined, settling: ReadonlySet<string>) => result === undefined || settling.has(result);

const EFFECTS: Record<UnitKind, (record: FormRecord) => Effect> = {
  household({ answers, work_date }) {
    const result = text(answers["visit_result"]);
    const done = answers["contacted"] === "yes" || settles(result, RESOLVED);
    const next = text(answers["next_visit_at"]);
    return { todo: done ? "done" : "tried", at: work_date, ...(result && { result }), ...(next && { next }) };
  },
  point({ answers, ended_at }) {
    return { todo: "done", at: text(answers["ended_at"]) ?? ended_at };
  },
  roster({ answers, work_date }) {
    const result = text(answers["delivery_result"]);
    const todo = settles(result, DELIVERED) ? "done" : "tried";
    return { todo, at: work_date, ...(result && { result }) };
  },
};

const RANK: Record<Todo, number> = { todo: 0, tried: 1, done: 2 };

/** The best effect of this phone's records on each unit; `unitId` finds the unit's id in a record. Voids have no effect. */
export function effects(kind: UnitKind, records: FormRecord[], unitId: (record: FormRecord) => string | undefined): Map<string, Effect> {
  const replaced = new Set(records.map((record) => record.supersedes));
  const found = new Map<string, Effect>();
  for (const record of records) {
    const id = unitId(record);
    if (id === undefined || record.voided || replaced.has(record._id)) continue;
    const effect = EFFECTS[kind](record);
    const known = found.get(id);
    if (!known || known.at.slice(0, 10) < effect.at.slice(0, 10) || RANK[effect.todo] >= RANK[known.todo]) found.set(id, effect);
  }
  return found;
}

/** "2" before "10", for door numbers and entry numbers. */
export function naturalOrder(value: string): string {
  return value.replace(/\d+/g, (digits) => digits.padStart(8, "0"));
}

const active = (entry: { active_to?: string }, today: string) => entry.active_to === undefined || entry.active_to >= today;
const join = (...parts: (string | number | undefined)[]) => parts.filter((part) => part !== undefined && part !== "").join(" ");

export function householdRow(entry: Household, effect: Effect | undefined, today: string, grid?: string): Row {
  const { summary } = entry;
  const elsewhere = grid !== undefined && entry.grid_code !== undefined && entry.grid_code !== grid;
  const visited = summary?.last_visit_date === today;
  const resolved = visited && (summary.last_contacted_date === today || settles(summary.last_result, RESOLVED));
  const known: Todo = resolved ? "done" : visited ? "tried" : "todo";
  const own = effect !== undefined && effect.at === today && RANK[effect.todo] > RANK[known];
  const title = join(entry.door_no, entry.head_name) || entry.household_id;
  return {
    kind: "household",
    id: entry.household_id,
    title,
    subtitle: entry.address ?? "",
    todo: own ? effect.todo : known,
    ...fields(own ? effect.result : summary?.last_result, own ? effect.at : summary?.last_visit_date, own ? effect.next : summary?.next_visit_at),
    own,
    haystack: join(entry.household_id, entry.door_no, entry.head_name, entry.head_search, entry.address).toLowerCase(),
    // The filler's own grid first.
    order: `${elsewhere ? 1 : 0}${naturalOrder(entry.door_no ?? entry.household_id)}`,
  };
}

export function pointRow(entry: Point, effect: Effect | undefined, now: string): Row {
  const { summary, interval_h = 24 } = entry;
  const dueByOwn = effect && addHours(effect.at, interval_h);
  const own = effect !== undefined && dueByOwn !== undefined && later(dueByOwn, summary?.next_due);
  const due = own ? dueByOwn : summary?.next_due;
  return {
    kind: "point",
    id: entry.point_id,
    title: entry.name,
    subtitle: "",
    todo: due !== undefined && later(due, now) ? "done" : "todo",
    ...fields(entry.place_type, own ? effect.at : summary?.last_ended_at, due),
    own,
    haystack: join(entry.point_id, entry.name, entry.name_search).toLowerCase(),
    order: naturalOrder(entry.point_id),
  };
}

export function rosterRow(entry: RosterEntry, effect: Effect | undefined, _today: string): Row {
  const state = entry.summary?.state ?? "open";
  const known: Todo = state === "done" ? "done" : state === "partial" || entry.summary?.last_result ? "tried" : "todo";
  const own = effect !== undefined && RANK[effect.todo] > RANK[known];
  const number = String(entry.entry_no);
  return {
    kind: "roster",
    id: entry.roster_entry_id,
    title: join(number, entry.head_name),
    subtitle: entry.category ?? "",
    todo: own ? effect.todo : known,
    ...fields(own ? effect.result : entry.summary?.last_result, own ? effect.at : undefined, undefined),
    own,
    haystack: join(entry.roster_entry_id, number, entry.household_id, entry.head_name, entry.head_search).toLowerCase(),
    order: naturalOrder(number),
  };
}

function fields(result: string | undefined, at: string | undefined, next: string | undefined) {
  return { ...(result && { result }), ...(at && { at }), ...(next && { next }) };
}

const later = (a: string, b: string | undefined) => b === undefined || Date.parse(a) > Date.parse(b);
const addHours = (at: string, hours: number) => beijingTime(Date.parse(at) + hours * 3600 * 1000);

export function buildRows(
  kind: UnitKind,
  entries: { households: Iterable<Household>; points: Iterable<Point>; roster: Iterable<RosterEntry> },
  own: Map<string, Effect>,
  now: string,
  grid?: string,
): Row[] {
  const today = now.slice(0, 10);
  const rows =
    kind === "household"
      ? [...entries.households].filter((entry) => active(entry, today)).map((entry) => householdRow(entry, own.get(entry.household_id), today, grid))
      : kind === "point"
        ? [...entries.points].filter((entry) => active(entry, today)).map((entry) => pointRow(entry, own.get(entry.point_id), now))
        : [...entries.roster].filter((entry) => active(entry, today)).map((entry) => rosterRow(entry, own.get(entry.roster_entry_id), today));
  return rows.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
}

export interface Progress {
  all: number;
  done: number;
  tried: number;
}
export function progress(rows: Row[]): Progress {
  let done = 0;
  let tried = 0;
  for (const row of rows) {
    if (row.todo === "done") done += 1;
    else if (row.todo === "tried") tried += 1;
  }
  return { all: rows.length, done, tried };
}
