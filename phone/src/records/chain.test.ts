import { describe, expect, it } from "vitest";
import type { FormRecord, Verdict } from "../documents";
import { chainOf, hasVerdict, isOut, leaving, move, needsCorrection, MOVES, stateOf, type Happening, type State } from "./chain";

const record = (id: string, more: Partial<FormRecord> = {}): FormRecord => ({
  _id: id, type: "record", form_id: "household_visit", form_version: "1", work_date: "2020-02-10", captured_at: `2020-02-10T09:00:0${id.length}+08:00`,
  started_at: "", ended_at: "", device_id: "d1", filler_id: "f1", village_code: "370304001901", answers: {}, confirmed: [], ...more,
});
const verdict = (record_id: string, status: Verdict["status"], decided_at = "2020-02-10T01:00:00Z"): Verdict => ({ type: "verdict", record_id, status, problems: [], decided_at });

describe("the chain of a record", () => {
  it("names a next state for every happening in every state", () => {
    const happenings: Happening[] = ["acknowledged", "missing", "accepted", "accepted_with_warnings", "quarantined", "returned", "voided"];
    for (const state of Object.keys(MOVES) as State[]) for (const happening of happenings) expect(Object.keys(MOVES)).toContain(move(state, happening));
  });

  it("is received only by the server's own word", () => {
    expect(stateOf(false, undefined)).toBe("waiting");
    expect(stateOf(true, undefined)).toBe("received");
  });

  it("waits again when a restored server lacks the record, whatever the verdict was", () => {
    for (const state of Object.keys(MOVES) as State[]) expect(move(state, "missing")).toBe("waiting");
  });

  it("follows a supervisor's later word", () => {
    expect(move("accepted", "returned")).toBe("returned");
    expect(move("returned", "accepted")).toBe("accepted");
  });

  it("is voided by staff, whatever its status, and comes back when they take that back", () => {
    const voided = { at: "2020-02-11T01:00:00Z", reason: "测试数据" };
    for (const status of ["accepted", "quarantined", "returned"] as const) expect(stateOf(true, { status, voided })).toBe("voided");
    expect(move("voided", "accepted")).toBe("accepted");
    expect([isOut("voided"), isOut("returned"), isOut("accepted"), needsCorrection("voided"), hasVerdict("voided")]).toEqual([true, true, false, false, true]);
  });

  it("points from a record to its correction", () => {
    const own = chainOf([record("a"), record("bb", { supersedes: "a" })], new Set(), new Map());
    expect(own.map((each) => [each.record._id, each.replacedBy])).toEqual([["bb", undefined], ["a", "bb"]]);
  });
});

describe("what may leave the phone", () => {
  const day = 24 * 3600 * 1000;
  const decided = Date.parse("2020-02-10T01:00:00Z");
  const left = (records: FormRecord[], verdicts: Verdict[], days: number) =>
    leaving(chainOf(records, new Set(), new Map(verdicts.map((each) => [each.record_id, each]))), 7, decided + days * day).map((each) => each._id);

  it("is accepted records after the retention days, not before", () => {
    expect(left([record("a")], [verdict("a", "accepted")], 8)).toEqual(["a"]);
    expect(left([record("a")], [verdict("a", "accepted")], 6)).toEqual([]);
  });

  it("is a voided record once the volunteer had the days to read why", () => {
    const voided = { ...verdict("a", "quarantined"), voided: { at: "2020-02-16T01:00:00Z", reason: "测试数据" } };
    expect(left([record("a")], [voided], 8)).toEqual([]);
    expect(left([record("a")], [voided], 14)).toEqual(["a"]);
  });

  it("is never a record without a verdict, however old", () => {
    expect(left([record("a")], [], 4000)).toEqual([]);
  });

  it("is a quarantined record only once its correction was accepted long enough ago", () => {
    const both = [record("a"), record("bb", { supersedes: "a" })];
    expect(left(both, [verdict("a", "quarantined")], 30)).toEqual([]);
    expect(left(both, [verdict("a", "quarantined"), verdict("bb", "accepted")], 30).sort()).toEqual(["a", "bb"]);
    expect(left([record("a")], [verdict("a", "quarantined")], 30)).toEqual([]);
  });

  it("is never a record that was judged only just now, though its correction was accepted long ago", () => {
    const both = [record("a"), record("bb", { supersedes: "a" })];
    expect(left(both, [verdict("a", "returned", "2020-02-16T01:00:00Z"), verdict("bb", "accepted")], 8)).toEqual(["bb"]);
  });
});
