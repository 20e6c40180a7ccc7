import { beforeEach, describe, expect, test, vi } from "vitest";
import { readContracts } from "./contracts.fixture";
import { type CompiledForm, type FormContext, type FormSession, openForm } from "./index";

const { forms } = readContracts<{ records: { forms: Record<string, CompiledForm> } }>().records;
const households = new Map([
  ["H1", { household_id: "H1", grid_code: "G1" }],
  ["H2", { household_id: "H2", grid_code: "G2" }],
]);
const roster = new Map([["C1:7", { entitlement: [{ item_code: "VEG_BOX", qty: 1, unit: "box" }, { item_code: "RICE_BAG", qty: 2, unit: "bag" }] }]]);
const context: FormContext = {
  today: () => "2020-02-21", now: () => "2020-02-21T09:30:00+08:00", lang: "en",
  settings: { fever_threshold: 37.3, observe_days: 14, over_area_lpm2: [0.02, 0.5] },
  list: (name) => ({ households, roster })[name] ?? new Map(),
};
const envelope = { work_date: "2020-02-21", filler_id: "S1", grid_code: "G1" };
const open = (name: string, more = {}): FormSession => openForm(forms[name]!, context, { envelope, ...more });
const rules = (session: FormSession): string[] => session.problems().map(({ rule, path }) => `${rule} ${path}`);

let visit: FormSession;
beforeEach(() => {
  visit = open("clinic");
});

function aPersonWithFever(): void {
  visit.set("visit_result", "met");
  visit.set("q_fever", "yes");
  visit.set("q_contact", "no");
  visit.addInstance("rep_person");
  visit.set("rep_person[0].reason", ["fever"]);
  visit.set("rep_person[0].temp_status", "measured");
}

describe("pages", () => {
  test("show what is relevant only", () => {
    expect(visit.pages().map((page) => page.name)).toEqual(["visit"]);
    visit.set("visit_result", "met");
    expect(visit.pages().map((page) => page.name)).toEqual(["visit", "screening"]);
  });

  test("hold labels in the language of the phone, choices, and no calculates", () => {
    const [page] = visit.pages();
    expect(page!.label).toBe("Visit");
    expect(page!.children!.map((field) => field.name)).toEqual(["visit_result", "household_id"]);
    expect(page!.children![0]!.choices![0]).toEqual({ name: "met", label: "Met" });
    expect(page!.children![1]!.listName).toBe("households");
  });

  test("show a calculate while its rule complains, until that is confirmed", () => {
    const mixing = open("mixing");
    const given = { agent: "chlorine_liquid", prep: "custom", water_l: 15, stock_ml: 100, target: "c500" };
    for (const [name, value] of Object.entries(given)) mixing.set(name, value);
    const names = (): string[] => mixing.pages().flatMap((page) => page.children!.map((field) => field.name));
    expect(names()).toContain("conc_mgL");
    expect(mixing.field("conc_mgL")!.problems[0]!.message.en).toBe("331 misses the target: mix again");
    mixing.confirm("conc_mgL", "V020");
    expect(names()).not.toContain("conc_mgL");
  });
});

describe("relevance", () => {
  test("keeps what it hides in the draft and out of the record", () => {
    visit.set("visit_result", "no_answer");
    visit.set("next_visit_at", "2020-02-22T09:00:00+08:00");
    visit.set("visit_result", "met");
    expect(visit.toRecord().answers).not.toHaveProperty("next_visit_at");
    const again = open("clinic", { snapshot: JSON.parse(JSON.stringify(visit.snapshot())) });
    again.set("visit_result", "no_answer");
    expect(again.toRecord().answers.next_visit_at).toBe("2020-02-22T09:00:00+08:00");
  });

  test("hides a repeat from sums and lists when its group goes", () => {
    aPersonWithFever();
    visit.set("visit_result", "no_answer");
    expect(visit.toRecord().answers).toEqual({ visit_result: "no_answer", contacted: "no" });
  });
});

describe("repeats", () => {
  test("are added, judged and removed", () => {
    aPersonWithFever();
    visit.addInstance("rep_person");
    visit.set("rep_person[1].person_name", "李四");
    expect(visit.field("rep_person[0].privacy")!.relevant).toBe(true);
    expect(visit.field("rep_person[1].privacy")!.relevant).toBe(false);
    visit.removeInstance("rep_person", 0);
    expect(visit.field("rep_person[0].person_name")!.value).toBe("李四");
    expect(visit.field("rep_person[0].privacy")!.relevant).toBe(true);
    expect(rules(visit)).toContain("V011a rep_person");
  });

  test("feed sums outside them", () => {
    const relief = open("relief");
    for (const qty of [1, 2]) {
      relief.addInstance("rep_item");
      relief.set(`rep_item[${qty - 1}].qty`, qty);
    }
    expect(relief.toRecord().answers.total).toBe(3);
    relief.removeInstance("rep_item", 0);
    expect(relief.toRecord().answers.total).toBe(2);
  });
});

test("a repeat is filled from a register entry, once", () => {
  const relief = open("relief");
  expect(relief.prefill("rep_item")).toBe(0);
  relief.set("roster_entry_id", "C1:7");
  expect(relief.prefill("rep_item")).toBe(2);
  expect(relief.prefill("rep_item")).toBe(0);
  expect(relief.toRecord().answers.rep_item).toMatchObject([
    { item_code: "VEG_BOX", qty: 1, unit: "box" }, { item_code: "RICE_BAG", qty: 2, unit: "bag" },
  ]);
});

describe("defaults", () => {
  test("stand in a fresh form and not in a correction", () => {
    expect(open("relief").field("on_roster")!.value).toBe("yes");
    expect(open("relief", { answers: { proof: "paper" } }).field("on_roster")!.value).toBeUndefined();
  });

  test("that are suggested follow their parts until the filler says otherwise", () => {
    const mixing = open("mixing");
    mixing.set("agent", "chlorine_liquid");
    expect(mixing.field("strength_pct")!.value).toBe(5);
    mixing.set("prep", "r84_100");
    mixing.set("tank", "15");
    expect([mixing.field("water_l")!.value, mixing.field("stock_ml")!.value]).toEqual([15, 150]);
    mixing.set("stock_ml", 140);
    mixing.set("tank", "20");
    expect([mixing.field("water_l")!.value, mixing.field("stock_ml")!.value]).toEqual([20, 140]);
    mixing.set("agent", "chlorine_powder");
    expect(mixing.field("strength_pct")!.value).toBe(12.5);
  });
});

describe("problems", () => {
  test("come in the order of the pages", () => {
    aPersonWithFever();
    expect(rules(visit)).toEqual([
      "REQUIRED rep_person[0].privacy", "REQUIRED rep_person[0].person_name", "REQUIRED rep_person[0].temp_c",
    ]);
  });

  test("of severity W are asked once, and asked again after another answer", () => {
    aPersonWithFever();
    visit.set("rep_person[0].temp_c", 34.5);
    visit.set("rep_person[0].temp2_c", 36);
    expect(rules(visit)).toContain("T2 rep_person[0].temp_c");
    visit.confirm("rep_person[0].temp_c", "T2");
    expect(rules(visit)).not.toContain("T2 rep_person[0].temp_c");
    expect(visit.toRecord().confirmed).toEqual([{ rule: "T2", path: "rep_person[0].temp_c" }]);
    visit.set("rep_person[0].temp_c", 34.4);
    expect(rules(visit)).toContain("T2 rep_person[0].temp_c");
    expect(visit.toRecord().confirmed).toEqual([]);
  });

  test("of severity E cannot be confirmed away", () => {
    aPersonWithFever();
    visit.set("rep_person[0].temp_c", 50);
    visit.confirm("rep_person[0].temp_c", "T1");
    expect(rules(visit)).toContain("T1 rep_person[0].temp_c");
  });

  test("speak both languages and name the label", () => {
    expect(visit.problems()[0]!.message).toEqual({ zh: "请填写「走访结果」。", en: "Fill in “Result”." });
  });
});

test("365 is offered as 36.5", () => {
  aPersonWithFever();
  visit.set("rep_person[0].temp_c", 365);
  expect(visit.field("rep_person[0].temp_c")!.coercion).toEqual({ ask: "Decimal point missing?", to: 36.5 });
  visit.set("rep_person[0].temp_c", 36.5);
  expect(visit.field("rep_person[0].temp_c")!.coercion).toBeUndefined();
});

test("a choice list follows its filter", () => {
  aPersonWithFever();
  visit.set("rep_person[0].province", "42");
  expect(visit.field("rep_person[0].city")!.choices!.map((choice) => choice.name)).toEqual(["4201"]);
});

test("register entries are offered", () => {
  expect(visit.entries("household_id").map(([id]) => id)).toEqual(["H1", "H2"]);
});

test("the envelope's questions are set like any other and travel apart", () => {
  visit.set("grid_code", "G2");
  expect(visit.toRecord().envelope).toMatchObject({ grid_code: "G2", filler_id: "S1" });
});

test("a draft opens as it was left", () => {
  aPersonWithFever();
  visit.set("rep_person[0].temp_c", 34.5);
  visit.confirm("rep_person[0].temp_c", "T2");
  const again = open("clinic", { snapshot: JSON.parse(JSON.stringify(visit.snapshot())) });
  expect(again.toRecord()).toEqual(visit.toRecord());
  expect(again.problems()).toEqual(visit.problems());
});

test("listeners hear of changes until they leave", () => {
  const listener = vi.fn();
  const leave = visit.onChange(listener);
  visit.set("visit_result", "met");
  leave();
  visit.set("visit_result", "no_answer");
  expect(listener).toHaveBeenCalledTimes(1);
});

test("a path that leads nowhere is an error, and no field", () => {
  expect(visit.field("rep_person[3].age")).toBeUndefined();
  expect(() => visit.set("nowhere", 1)).toThrow(/no question at nowhere/);
});

/** A small generator (mulberry32), so that a failure can be repeated. */
function randomly(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

test.each([1, 2, 3, 4, 5])("after any keystrokes the record is as if all had been computed afresh (seed %i)", (seed) => {
  const random = randomly(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const values: Record<string, unknown[]> = {
    visit_result: ["met", "phone_ok", "no_answer", undefined], q_fever: ["yes", "no"], q_contact: ["yes", "no", "unknown"],
    reason: [["fever"], ["contact", "moved"], undefined], temp_status: ["measured", "refused"], temp_c: [36.5, 38.5, 34, undefined],
    temp2_c: [37, 38], symptoms: [["cough"], ["none"]], onset: ["2020-02-20"], province: ["37", "42"], city: ["4201"],
    arrived: ["2020-02-01", undefined], id_number: ["370304195001010007"], age: [70, 20],
  };
  const inPerson = new Set(Object.keys(values).slice(3));
  for (let step = 0; step < 200; step++) {
    const people = visit.field("rep_person")!.instances!.length;
    const name = pick(Object.keys(values));
    if (random() < 0.1 && people < 4) visit.addInstance("rep_person");
    else if (random() < 0.05 && people) visit.removeInstance("rep_person", Math.floor(random() * people));
    else if (!inPerson.has(name)) visit.set(name, pick(values[name]!) as never);
    else if (people) visit.set(`rep_person[${Math.floor(random() * people)}].${name}`, pick(values[name]!) as never);
    const afresh = open("clinic", { snapshot: JSON.parse(JSON.stringify(visit.snapshot())) });
    expect(visit.toRecord()).toEqual(afresh.toRecord());
    expect(rules(visit)).toEqual(rules(afresh));
  }
});
