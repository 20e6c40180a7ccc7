/** The three forms on the phone: the same verdict on every sample record as the server's, and what a volunteer meets. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openForm } from "./index";
import type { Answers, CompiledForm, FormContext, FormSession, Problem } from "./types";

interface SampleRecord extends Record<string, unknown> {
  form_id: string;
  answers: Answers;
}
interface Case {
  name: string;
  record: SampleRecord;
  problems: Problem[];
  answers: Answers;
}
interface Contract {
  forms: Record<string, CompiledForm>;
  settings: Record<string, unknown>;
  register: { today: string; now: string; lists: Record<string, Record<string, Record<string, unknown>>> };
  cases: Case[];
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const own = `${ROOT}.venv/bin/python`;
const printed = execFileSync(existsSync(own) ? own : "python3", ["-m", "tests.forms.contracts"], {
  cwd: ROOT, encoding: "utf-8", maxBuffer: 1 << 26,
});
const { forms, settings, register, cases } = JSON.parse(printed) as Contract;

const context: FormContext = {
  today: () => register.today,
  now: () => register.now,
  settings,
  list: (name) => new Map(Object.entries(register.lists[name] ?? {})),
  lang: "zh",
};

function reopened({ answers, form_id, ...envelope }: SampleRecord): FormSession {
  return openForm(forms[form_id]!, context, { answers, envelope });
}

/** The phone keeps no F rules, and drops answers that have no place instead of complaining. */
const ONLY_SERVER = ["IRRELEVANT", "UNKNOWN_FIELD"];
const shared = (problem: Problem): boolean => problem.severity !== "F" && !ONLY_SERVER.includes(problem.rule);
const ordered = (problems: Problem[]): Problem[] => [...problems].sort((a, b) => (a.path + a.rule < b.path + b.rule ? -1 : 1));

/** As the phone opens a form from an entry of its lists. */
function opened(formId: string, entry: Answers): FormSession {
  const session = openForm(forms[formId]!, context, { envelope: envelope() });
  give(session, entry);
  return session;
}

function envelope(): Record<string, unknown> {
  return { work_date: register.today, captured_at: register.now, filler_id: "filler-1", village_code: "370304102901" };
}

function give(session: FormSession, answers: Answers): void {
  for (const [path, value] of Object.entries(answers)) session.set(path, value as never);
}

test.each(cases)("the phone finds what the server finds: $name", ({ record, problems }) => {
  expect(ordered(reopened(record).problems())).toEqual(ordered(problems.filter(shared)));
});

const passing = cases.filter(({ problems }) => problems.length === 0);

test.each(passing)("the phone would send what the server understands: $name", ({ record, answers }) => {
  expect(reopened(record).toRecord().answers).toEqual(answers);
});

describe("an uneventful visit", () => {
  const FIVE = ["q_fever", "q_symptom", "q_key_area", "q_contact", "q_outside"];

  test("is complete after opening the household and six answers on two pages", () => {
    const session = opened("household_visit", { household_id: "H1" });
    session.set("visit_result", "met");
    for (const question of FIVE) session.set(question, "no");
    expect(session.problems()).toEqual([]);
    expect(session.pages().filter((page) => page.name.startsWith("page_"))).toHaveLength(2);
    expect(session.toRecord().answers).toMatchObject({ visit_method: "door", resident_count: 3, roster_changed: "no" });
  });

  test("asks nothing more after a door that nobody opened", () => {
    const session = opened("household_visit", { household_id: "H1" });
    give(session, { visit_result: "no_answer", left_notice: "notice" });
    expect(session.problems()).toEqual([]);
    expect(session.field("page_health")?.relevant).toBe(false);
  });

  test("names the key areas and the days of the district's settings", () => {
    const session = opened("household_visit", { household_id: "H1" });
    session.set("visit_result", "met");
    expect(session.field("q_key_area")?.label).toBe("近14天有无到过或途经武汉、湖北及其他重点地区");
  });
});

describe("a temperature", () => {
  function person(temp: number): FormSession {
    const session = opened("household_visit", { household_id: "H1" });
    give(session, { visit_result: "met", q_fever: "yes" });
    session.addInstance("rep_person");
    give(session, { "rep_person[0].temp_status": "measured", "rep_person[0].temp_c": temp });
    return session;
  }

  test("of 365 is offered as 36.5", () => {
    expect(person(365).field("rep_person[0].temp_c")?.coercion?.to).toBe(36.5);
  });

  test.each([
    [34.9, true],
    [35, false],
    [37.2, false],
    [37.3, true],
  ])("of %d asks for a second reading: %s", (temp, asked) => {
    expect(person(temp).field("rep_person[0].temp2_c")?.relevant).toBe(asked);
  });

  test("counts as fever by its second reading", () => {
    const session = person(37.5);
    expect(session.field("rep_person[0].actions")?.relevant).toBe(true);
    session.set("rep_person[0].temp2_c", 36.8);
    expect(session.field("rep_person[0].actions")?.relevant).toBe(false);
  });

  test("that cannot be read is no temperature", () => {
    const session = person(36.5);
    session.set("rep_person[0].temp_status", "lo_hi");
    expect(session.field("rep_person[0].temp_c")?.relevant).toBe(false);
  });
});

describe("a recipe", () => {
  const mixed = (agent: string, prep_method: string): FormSession => {
    const session = opened("disinfection_log", { point_id: "P1" });
    give(session, { agent, prep_method });
    return session;
  };

  test.each([
    ["chlorine_liquid", "r84_100", { strength_pct: 5, stock_ml: 100, water_l: 10, target_conc: "c500", conc_mgL: 495 }],
    ["chlorine_liquid", "r84_50", { strength_pct: 5, stock_ml: 200, water_l: 10, target_conc: "c1000", conc_mgL: 980 }],
    ["chlorine_powder", "powder_48", { strength_pct: 12.5, powder_g: 20, water_l: 4.8, target_conc: "c500", conc_mgL: 521 }],
    ["chlorine_tablet", "tablet_1", { tablet_mg: 500, tablets: 1, water_l: 1, target_conc: "c500", conc_mgL: 500 }],
  ])("of %s by %s fills in the amounts", (agent, prep, amounts) => {
    expect(mixed(agent, prep).toRecord().answers).toMatchObject(amounts);
  });

  test("grows with the tanks and tells the stock for each", () => {
    const session = mixed("chlorine_liquid", "r84_100");
    give(session, { method: "spray", tank_l: "15", tank_count: 2 });
    expect(session.toRecord().answers).toMatchObject({ stock_ml: 300, water_l: 30, solution_l: 30, stock_per_tank_ml: 150 });
    expect(session.field("tank_note")?.label).toContain("150毫升");
  });

  test.each([
    ["15", 75, 150, 300, 600],
    ["16", 80, 160, 320, 640],
    ["18", 90, 180, 360, 720],
    ["20", 100, 200, 400, 800],
  ])("for a tank of %s litres follows the table", (tank, ...amounts) => {
    const session = mixed("chlorine_liquid", "custom");
    give(session, { method: "spray", tank_l: tank, tank_count: 1 });
    const told = ["c250", "c500", "c1000", "c2000"].map((target) => {
      session.set("target_conc", target);
      return session.toRecord().answers.stock_per_tank_ml;
    });
    expect(told).toEqual(amounts);
  });

  test("stays as the volunteer corrected it", () => {
    const session = mixed("chlorine_liquid", "r84_100");
    session.set("stock_ml", 120);
    session.set("prep_method", "r84_50");
    expect(session.toRecord().answers.stock_ml).toBe(120);
  });

  test("is only offered for its agent", () => {
    const session = mixed("chlorine_tablet", "tablet_1");
    expect(session.field("prep_method")?.choices?.map((choice) => choice.name)).toEqual(["tablet_1", "custom"]);
  });
});

describe("a delivery", () => {
  test("opened from the roster knows its campaign and tells what is due", () => {
    const session = opened("supply_delivery", { roster_entry_id: "aixin:3" });
    expect(session.toRecord().answers).toMatchObject({ on_roster: "yes", campaign_id: "aixin" });
    expect(session.field("entitlement_text")?.label).toBe("应发：大米(袋) 5公斤；已发：大米(袋) 2（以上次同步为准，可能不是最新）");
  });

  test("tells in the rows how to fill them as due", () => {
    const session = opened("supply_delivery", { roster_entry_id: "aixin:1" });
    session.set("delivery_result", "delivered_self");
    expect(session.field("rep_item")?.parameters).toMatchObject({ prefill: "roster.entitlement", key: "roster_entry_id" });
  });

  test("offers only the units of the item", () => {
    const session = opened("supply_delivery", { roster_entry_id: "aixin:1" });
    session.set("delivery_result", "delivered_self");
    session.addInstance("rep_item");
    session.set("rep_item[0].item_code", "VEG_BOX");
    expect(session.field("rep_item[0].unit")?.choices?.map((choice) => choice.name)).toEqual(["box", "kg", "jin"]);
    expect(session.field("rep_item[0].unit")?.value).toBe("box");
  });
});
