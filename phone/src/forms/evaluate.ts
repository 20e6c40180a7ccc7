/** Evaluates compiled expressions; the twin of schemas/expressions/evaluate.py. Nothing throws but TooMuch. */
import { PURE, TooMuch, words } from "./functions";
import { type Instruction, matches } from "./matcher";
import type { Ast, CompiledChoice, Lang } from "./types";
import { type Frame, type Value, equal, fromAnswer, toBoolean, toNumber, toText } from "./values";

export const STEPS_MAX = 100_000;

export interface Environment {
  /** The record, then the instance of each enclosing repeat. */
  frames: Frame[];
  /** Number of the instance at each level, from 1. */
  positions: number[];
  today: string;
  now: string;
  settings: Record<string, unknown>;
  lists(list: string, keyColumn: string, key: string): Record<string, unknown> | undefined;
  choices: Record<string, CompiledChoice[]>;
  /** The choice that a choice_filter looks at. */
  choice?: Record<string, unknown>;
  lang: Lang;
  steps: number;
}

type Node = readonly unknown[];
type Path = readonly (readonly [repeat: string, condition: unknown])[];

/** The value of a compiled expression; its count of steps begins here. */
export function evaluate(expression: Ast, environment: Environment): Value {
  environment.steps = 0;
  return run(expression, environment) as Value;
}

function run(expression: unknown, env: Environment): unknown {
  if (!Array.isArray(expression)) return expression;
  const operation = expression[0] as string;
  const special = SPECIAL[operation];
  if (special) return special(expression, env);
  const args: unknown[] = [];
  for (let at = 1; at < expression.length; at++) args.push(run(expression[at], env));
  return PURE[operation]!(...args);
}

const isAnswer = (node: unknown): boolean => Array.isArray(node) && ["$", "indexed", "col"].includes(node[0] as string);
const truth = (node: unknown, env: Environment): boolean => toBoolean(run(node, env));

function equals(node: Node, env: Environment): boolean {
  return equal(run(node[1], env), run(node[2], env), isAnswer(node[1]), isAnswer(node[2]));
}

function firstGiven(node: Node, env: Environment): unknown {
  let value: unknown = "";
  for (let at = 1; at < node.length; at++) {
    value = run(node[at], env);
    if (value !== "" && !Number.isNaN(value)) return value;
  }
  return value;
}

/** What the dotted path leads to. In a list, a step of up to 5 digits is an index from 0, any other an object's item_code, code or name. */
export function entryValue(entry: unknown, path: string): unknown {
  let found = entry;
  for (const step of path.split(".")) {
    if (Array.isArray(found)) found = listStep(found, step);
    else if (typeof found === "object" && found !== null && Object.hasOwn(found, step)) found = (found as Record<string, unknown>)[step];
    else return undefined;
  }
  return found;
}

function listStep(items: readonly unknown[], step: string): unknown {
  if (/^[0-9]{1,5}$/.test(step)) return items[Number(step)];
  return items.find((item) => {
    const { item_code, code, name } = (item ?? {}) as Record<string, unknown>;
    return typeof item === "object" && !Array.isArray(item) && (step === item_code || step === code || step === name);
  });
}

function pull(node: Node, env: Environment): Value {
  const [, list, path, keyColumn, key] = node;
  const wanted = toText(run(key, env));
  const entry = wanted ? env.lists(list as string, keyColumn as string, wanted) : undefined;
  return fromAnswer(entryValue(entry, toText(run(path, env))));
}

function choiceName(node: Node, env: Environment): string {
  const choices = env.choices[node[1] as string] ?? [];
  const label = (code: string): string => choices.find((choice) => choice.name === code)?.label[env.lang] ?? code;
  return words(run(node[2], env)).map(label).join(env.lang === "zh" ? "、" : ", ");
}

function indexed(node: Node, env: Environment): Value {
  let frame = env.frames[node[1] as number]!;
  for (const [repeat, index] of node[2] as Path) {
    const at = Math.trunc(toNumber(run(index, env)));
    const instance = instancesOf(frame, repeat)[at - 1];
    if (!instance) return "";
    frame = instance;
  }
  return (frame[node[3] as string] as Value | undefined) ?? "";
}

function instancesOf(frame: Frame, repeat: string): Frame[] {
  const found = frame[repeat];
  return Array.isArray(found) ? found : [];
}

function nodes(node: Node, env: Environment): unknown[] {
  const found: unknown[] = [];
  walk(env, env.frames[node[1] as number]!, node[2] as Path, 0, node[3] as string | 0, found);
  return found;
}

function walk(env: Environment, frame: Frame, path: Path, at: number, name: string | 0, found: unknown[]): void {
  const [repeat, condition] = path[at]!;
  instancesOf(frame, repeat).forEach((instance, position) => {
    if (++env.steps > STEPS_MAX) throw new TooMuch("steps");
    env.frames.push(instance);
    env.positions.push(position + 1);
    try {
      if (condition !== 0 && !truth(condition, env)) return;
      if (at + 1 < path.length) walk(env, instance, path, at + 1, name, found);
      else found.push(name === 0 ? instance : (instance[name] ?? ""));
    } finally {
      env.frames.pop();
      env.positions.pop();
    }
  });
}

const SPECIAL: Record<string, (node: Node, env: Environment) => unknown> = {
  $: (node, env) => env.frames[node[2] as number]![node[1] as string] ?? "",
  col: (node, env) => fromAnswer(entryValue(env.choice, node[1] as string)),
  position: (node, env) => env.positions[node[1] as number],
  and: (node, env) => truth(node[1], env) && truth(node[2], env),
  or: (node, env) => truth(node[1], env) || truth(node[2], env),
  "=": equals,
  "!=": (node, env) => !equals(node, env),
  if: (node, env) => run(truth(node[1], env) ? node[2] : node[3], env),
  coalesce: firstGiven,
  once: firstGiven,
  regex: (node, env) => matches(node[2] as Instruction[], toText(run(node[1], env))),
  setting: (node, env) => fromAnswer(entryValue(env.settings, node[1] as string)),
  pulldata: pull,
  "choice-name": choiceName,
  indexed,
  set: nodes,
  today: (_, env) => env.today,
  now: (_, env) => env.now,
};
