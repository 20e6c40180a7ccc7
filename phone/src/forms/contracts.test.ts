/** The cases that the server's tests run too; compiled by tests/contracts/compiled.py, because only the server has a compiler. */
import { describe, expect, test } from "vitest";
import { readContracts } from "./contracts.fixture";
import { type Environment, evaluate } from "./evaluate";
import { type CompiledForm, type FormContext, openForm } from "./index";
import type { Answers, Ast, CompiledChoice } from "./types";
import { type Frame, fromAnswer } from "./values";

type Registers = Record<string, Record<string, Record<string, unknown>>>;
interface Scope {
  today: string;
  now: string;
  settings: Record<string, unknown>;
  lists: Registers;
}
interface ExpressionCase {
  group: string;
  expr: string;
  ast?: Ast;
  answers?: Answers;
  at?: [string, number][];
  value?: string | number | boolean | { number: string };
  error?: string;
}
interface RecordCase {
  form: string;
  name: string;
  answers: Answers;
  envelope?: Record<string, unknown>;
  settings?: Record<string, unknown>;
  problems: [rule: string, severity: string, path: string][];
  calculated?: Record<string, unknown>;
}
interface Contracts {
  expressions: { scope: Scope; cases: ExpressionCase[]; choices: Record<string, CompiledChoice[]> };
  records: { scope: Scope & { envelope: Record<string, Record<string, unknown>> }; cases: RecordCase[]; forms: Record<string, CompiledForm> };
}

const { expressions, records } = readContracts<Contracts>();

function frameOf(answers: Answers): Frame {
  const frame: Frame = {};
  for (const [name, value] of Object.entries(answers)) {
    const isRepeat = Array.isArray(value) && typeof value[0] === "object";
    frame[name] = isRepeat ? (value as Answers[]).map(frameOf) : name === "ack" ? "OK" : fromAnswer(value);
  }
  return frame;
}

function environmentOf({ answers = {}, at = [] }: ExpressionCase, { today, now, settings, lists }: Scope): Environment {
  const frames = [frameOf(answers)];
  for (const [repeat, index] of at) frames.push((frames.at(-1)![repeat] as Frame[])[index]!);
  return {
    frames, positions: [0, ...at.map(([, index]) => index + 1)], today, now, settings, choices: expressions.choices, lang: "zh", steps: 0,
    lists: (list, keyColumn, key) => Object.values(lists[list] ?? {}).find((entry) => entry[keyColumn] === key),
  };
}

function expected(value: ExpressionCase["value"]): unknown {
  return typeof value === "object" ? Number(value.number) : value;
}

describe("an expression gives what the contract says", () => {
  for (const given of expressions.cases.filter((each) => each.error === undefined)) {
    test(`${given.group}: ${given.expr}`, () => {
      const value = evaluate(given.ast!, environmentOf(given, expressions.scope));
      expect(value === 0 ? 0 : value).toBe(expected(given.value));
    });
  }
});

function contextOf(given: RecordCase): FormContext {
  const scope = { ...records.scope, ...given };
  return {
    today: () => scope.today, now: () => scope.now, settings: { ...records.scope.settings, ...given.settings }, lang: "zh",
    list: (name) => new Map(Object.entries(scope.lists[name] ?? {})),
  };
}

function atPath(answers: Answers, path: string): unknown {
  return path.split(/[.[\]]+/).reduce<unknown>((found, step) => (found as Record<string, unknown>)[step], answers);
}

/** Only the server sees F rules, foreign names and answers that should not be there. */
const SERVER_ONLY = new Set(["IRRELEVANT", "UNKNOWN_FIELD"]);

describe("a record gets the problems that the contract says", () => {
  for (const given of records.cases) {
    test(`${given.form}: ${given.name}`, () => {
      const envelope = { ...records.scope.envelope[given.form], ...given.envelope };
      const session = openForm(records.forms[given.form]!, contextOf(given), { answers: given.answers, envelope });
      const found = session.problems().map(({ rule, severity, path }) => [rule, severity, path]);
      expect(found).toEqual(given.problems.filter(([rule, severity]) => severity !== "F" && !SERVER_ONLY.has(rule)));
      for (const [path, value] of Object.entries(given.calculated ?? {})) {
        expect(atPath(session.toRecord().answers, path), path).toEqual(value ?? undefined);
      }
    });
  }
});

test("the contract has at least 300 cases", () => {
  expect(expressions.cases.length + records.cases.length).toBeGreaterThanOrEqual(300);
});
