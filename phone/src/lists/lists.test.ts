import { describe, expect, it } from "vitest";
import type { FormRecord, Household, Point, RosterEntry } from "../documents";
import { scannedId, search } from "./search";
import type { CompiledForm } from "../forms";
import { mainFirst, wordsFor } from "./units";
import { buildRows, effects, householdRow, pointRow, progress, rosterRow, type Row } from "./today";

const TODAY = "2020-02-21";
const NOW = `${TODAY}T10:00:00+08:00`;
const household = (more: Partial<Household> = {}): Household => ({
  type: "household", household_id: "H1", village_code: "v", door_no: "3-2", head_name: "王桂英", head_search: "wang gui ying wgy", address: "示范一村3号", ...more,
});
const point = (more: Partial<Point> = {}): Point => ({ type: "point", point_id: "P1", village_code: "v", name: "村委会", interval_h: 24, ...more });
const entry = (more: Partial<RosterEntry> = {}): RosterEntry => ({ type: "roster_entry", roster_entry_id: "C:7", campaign_id: "C", entry_no: 7, village_code: "v", entitlement: [], ...more });
const record = (answers: FormRecord["answers"], more: Partial<FormRecord> = {}): FormRecord => ({
  _id: `r${Math.random()}`, type: "record", form_id: "f", form_version: "1", work_date: TODAY, captured_at: NOW, started_at: NOW, ended_at: NOW, device_id: "d", filler_id: "f", village_code: "v", answers, confirmed: [], ...more,
});
const unit = (each: FormRecord) => each.answers["unit"] as string;
const effect = (each: FormRecord) => effects("household", [each], unit).get("H1");

describe("a household today", () => {
  it("is to do when yesterday's visit was the last", () => {
    expect(householdRow(household({ summary: { last_visit_date: "2020-02-20", last_contacted_date: "2020-02-20" } }), undefined, TODAY).todo).toBe("todo");
  });
  it("was tried when nobody answered", () => {
    expect(householdRow(household({ summary: { last_visit_date: TODAY, last_result: "no_answer" } }), undefined, TODAY).todo).toBe("tried");
  });
  it("stays done when a visit of the afternoon finds nobody after one that did", () => {
    expect(householdRow(household({ summary: { last_visit_date: TODAY, last_contacted_date: TODAY, last_result: "no_answer" } }), undefined, TODAY).todo).toBe("done");
  });
  it("is done at once by this phone's own record", () => {
    const row = householdRow(household(), effect(record({ unit: "H1", visit_result: "met", contacted: "yes" })), TODAY);
    expect([row.todo, row.own, row.result]).toEqual(["done", true, "met"]);
  });
  it("is done when it is known to be empty", () => {
    expect(householdRow(household(), effect(record({ unit: "H1", visit_result: "vacant", contacted: "no" })), TODAY).todo).toBe("done");
  });
  it("is not done by this phone's record of another day", () => {
    expect(householdRow(household(), effect(record({ unit: "H1", contacted: "yes" }, { work_date: "2020-02-20" })), TODAY).todo).toBe("todo");
  });
  it("is open again when its record is withdrawn", () => {
    const visit = record({ unit: "H1", contacted: "yes" });
    const tombstone = record({ unit: "H1", contacted: "yes" }, { supersedes: visit._id, voided: true });
    expect(effects("household", [visit, tombstone], unit).size).toBe(0);
  });
  it("keeps the best of two visits, whichever comes first", () => {
    const met = record({ unit: "H1", contacted: "yes" });
    const nobody = record({ unit: "H1", contacted: "no", visit_result: "no_answer" });
    for (const order of [[met, nobody], [nobody, met]]) expect(effects("household", order, unit).get("H1")?.todo).toBe("done");
  });
});

describe("a point", () => {
  it("is due when it never was disinfected or its time has come", () => {
    expect(pointRow(point(), undefined, NOW).todo).toBe("todo");
    expect(pointRow(point({ summary: { next_due: "2020-02-21T09:59:59+08:00" } }), undefined, NOW).todo).toBe("todo");
  });
  it("is done until its time comes, in whatever zone that is written", () => {
    expect(pointRow(point({ summary: { next_due: "2020-02-21T02:00:01Z" } }), undefined, NOW).todo).toBe("done");
  });
  it("is done by this phone's own record for its interval", () => {
    const own = effects("point", [record({ unit: "P1", ended_at: "2020-02-21T08:00:00+08:00" })], unit).get("P1");
    expect(pointRow(point(), own, NOW)).toMatchObject({ todo: "done", own: true, next: "2020-02-22T08:00:00+08:00" });
  });
});

describe("a roster entry", () => {
  it("is done, partly done or open as the register says", () => {
    expect((["done", "partial", "open"] as const).map((state) => rosterRow(entry({ summary: { state } }), undefined, TODAY).todo)).toEqual(["done", "tried", "todo"]);
  });
  it("is done by this phone's delivery of any day", () => {
    const own = effects("roster", [record({ unit: "C:7", delivery_result: "left_door" }, { work_date: "2020-02-01" })], unit).get("C:7");
    expect(rosterRow(entry(), own, TODAY).todo).toBe("done");
  });
});

describe("the list", () => {
  const rows = (households: Household[], grid?: string) => buildRows("household", { households, points: [], roster: [] }, new Map(), NOW, grid);

  it("stands in the order of doors, 2 before 10", () => {
    const made = rows(["10号", "2号", "1号"].map((door_no, index) => household({ household_id: `H${index}`, door_no })));
    expect(made.map((row) => row.title.split(" ")[0])).toEqual(["1号", "2号", "10号"]);
  });
  it("begins with the filler's own grid", () => {
    const made = rows([household({ household_id: "H1", door_no: "1号", grid_code: "B" }), household({ household_id: "H2", door_no: "2号", grid_code: "A" })], "A");
    expect(made.map((row) => row.id)).toEqual(["H2", "H1"]);
  });
  it("leaves out what is no longer active", () => {
    expect(rows([household({ active_to: "2020-02-20" })])).toEqual([]);
  });
  it("counts what is done and tried", () => {
    expect(progress([{ todo: "done" }, { todo: "tried" }, { todo: "todo" }] as Row[])).toEqual({ all: 3, done: 1, tried: 1 });
  });
});

describe("search", () => {
  const made = [household(), household({ household_id: "H12", door_no: "12", head_name: "李强", head_search: "li qiang lq" }), household({ household_id: "H2", door_no: "2", head_name: "𠮷田", head_search: "" })].map((each) =>
    householdRow(each, undefined, TODAY),
  );
  const ids = (query: string) => search(made, query).map((row) => row.id);

  it("finds by name, pinyin, initials, number and part of the address", () => {
    expect([ids("王桂"), ids("lq"), ids("qiang"), ids("3-2"), ids("示范 王")]).toEqual([["H1"], ["H12"], ["H12"], ["H1"], ["H1"]]);
  });
  it("finds full-width digits and rare characters", () => {
    expect([ids("１２"), ids("𠮷")]).toEqual([["H12"], ["H2"]]);
  });
  it("puts the exact id first", () => {
    expect(ids("h2")[0]).toBe("H2");
  });
  it("takes special characters as they are", () => {
    expect(ids("(.*[")).toEqual([]);
  });
  it("goes through 10,000 entries well within a keystroke", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => householdRow(household({ household_id: `H${index}`, door_no: String(index) }), undefined, TODAY));
    const started = performance.now();
    search(many, "wgy 99");
    expect(performance.now() - started).toBeLessThan(50);
  });
  it("reads an id out of a scanned address", () => {
    expect(["H1", "https://x.cn/h/H1", "https://x.cn/#h=H1", " H1 ", "%E0%A4%A"].map(scannedId)).toEqual(["H1", "H1", "H1", "H1", "%E0%A4%A"]);
  });
});

it("the form that the settings name for a list comes first, whatever emergency it is", () => {
  const forms = [{ form_id: "damage_report" }, { form_id: "household_visit" }];
  const settings = { main_forms: { households: "household_visit", points: "damage_report" } };
  expect(mainFirst("household", forms, settings).map((form) => form.form_id)).toEqual(["household_visit", "damage_report"]);
  expect(mainFirst("household", forms, { main_forms: { households: "flood" } })).toEqual(forms);
  expect(mainFirst("household", forms, {})).toEqual(forms);
});

it("is done once a form that asks for no result is filled", () => {
  const report = record({ damage: "some" });
  expect(effects("household", [report], () => "H1").get("H1")?.todo).toBe("done");
  expect(householdRow(household({ summary: { visits: 1, last_visit_date: TODAY } as Household["summary"] }), undefined, TODAY).todo).toBe("done");
});

it("has the words of its kind for a form that says how it stands, and plain ones for any other", () => {
  const asking = (name: string) => ({ survey: [{ type: "begin_group", name: "g", children: [{ type: "text", name }] }] }) as unknown as CompiledForm;
  expect(wordsFor("household", asking("visit_result"))).toBe("household");
  expect(wordsFor("household", asking("damage"))).toBe("unit");
  expect(wordsFor("roster", asking("delivery_result"))).toBe("roster");
  expect(wordsFor("household", undefined)).toBe("household");
});
