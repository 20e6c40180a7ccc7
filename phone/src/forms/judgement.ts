/** The complaints about one answer; the twin of schemas/rules.py. */
import { evaluate } from "./evaluate";
import { TooMuch } from "./functions";
import type { Instance } from "./instance";
import { type Recalculation, isEmpty } from "./recalculation";
import { INSTANCES_MAX, answerFault, decimalsOf } from "./shape";
import { isRepeat } from "./structure";
import { bothTexts, filled } from "./texts";
import type { CompiledChoice, CompiledRow, Problem, Severity, Text } from "./types";
import { toBoolean } from "./values";

/** E and W problems of one row in one instance, confirmed ones too; the row is relevant. */
export function problemsOf(work: Recalculation, row: CompiledRow, instance: Instance): Problem[] {
  if (row.type === "begin_group" || row.type === "note") return [];
  const answer = instance.raw.get(row.name);
  const missing = isRepeat(row) ? instance.children(row.name).length === 0 : isEmpty(answer);
  if (missing) return work.holds(row.required, instance) ? [required(work, row, instance)] : [];
  const fault = isRepeat(row) ? repeatFault(row, instance) : answerRule(work, row, instance);
  return fault ? [builtIn(work, row, instance, ...fault)] : constraintProblems(work, row, instance);
}

type Fault = [rule: string, severity: Severity, more?: Record<string, string>];

function required(work: Recalculation, row: CompiledRow, instance: Instance): Problem {
  const problem = builtIn(work, row, instance, "REQUIRED", "E");
  return row.required_message ? { ...problem, message: bothTexts(work, row.required_message, instance) } : problem;
}

function repeatFault(row: CompiledRow, instance: Instance): Fault | undefined {
  return instance.children(row.name).length > INSTANCES_MAX ? ["TOO_MANY", "E"] : undefined;
}

function answerRule(work: Recalculation, row: CompiledRow, instance: Instance): Fault | undefined {
  const answer = instance.raw.get(row.name);
  if (answerFault(row.type, answer)) return ["TYPE", "E"];
  if (row.decimals !== undefined && typeof answer === "number" && decimalsOf(answer) > row.decimals) {
    return ["DECIMALS", "E", { decimals: String(row.decimals) }];
  }
  const codes = Array.isArray(answer) ? answer : [answer as string];
  if (row.type === "select_one" || row.type === "select_multiple") {
    const offered = new Set(choicesOf(work, row, instance).map((choice) => choice.name));
    return codes.every((code) => offered.has(code)) ? undefined : ["CHOICE", "E"];
  }
  return row.type.endsWith("_from_file") ? registerFault(work, row, codes) : undefined;
}

function registerFault(work: Recalculation, row: CompiledRow, codes: string[]): Fault | undefined {
  const unlisted = row.parameters?.unlisted ?? "E";
  const entries = work.context.list(row.list!);
  if (unlisted === "allow" || codes.every((code) => entries.has(code))) return undefined;
  return ["NOT_IN_LIST", unlisted === "W" ? "W" : "E"];
}

/** The choices that a question offers here and now. */
export function choicesOf(work: Recalculation, row: CompiledRow, instance: Instance): CompiledChoice[] {
  const choices = work.form.choices[row.list!] ?? [];
  return row.choice_filter === undefined ? choices : choices.filter((choice) => offers(work, row, instance, choice));
}

export function offers(work: Recalculation, row: CompiledRow, instance: Instance, choice: Record<string, unknown>): boolean {
  if (row.choice_filter === undefined) return true;
  return toBoolean(evaluate(row.choice_filter, { ...work.environment(instance), choice }));
}

function constraintProblems(work: Recalculation, row: CompiledRow, instance: Instance): Problem[] {
  const found = new Map<string, Problem>();
  for (const { id, severity, expr, message } of row.constraint ?? []) {
    if (severity === "F" || found.has(id)) continue;
    try {
      if (toBoolean(work.value(expr, instance))) continue;
      found.set(id, { rule: id, severity, path: instance.prefix + row.name, message: bothTexts(work, message, instance) });
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error;
      found.set("LIMIT", builtIn(work, row, instance, "LIMIT", "E"));
    }
  }
  return [...found.values()];
}

function builtIn(work: Recalculation, row: CompiledRow, instance: Instance, rule: string, severity: Severity, more?: Record<string, string>): Problem {
  const label: Text = row.label ? bothTexts(work, row.label, instance) : { zh: row.name, en: row.name };
  return { rule, severity, path: instance.prefix + row.name, message: filled(work.form.messages[rule]!, label, more) };
}
