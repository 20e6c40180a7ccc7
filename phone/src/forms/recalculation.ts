/** Keeps relevance, calculations and suggestions up to date, re-evaluating only what depends on a change. */
import { type Environment, evaluate } from "./evaluate";
import { TooMuch, words } from "./functions";
import { Instance, descend } from "./instance";
import { type Entry, type Structure, isRepeat } from "./structure";
import type { Answer, Ast, CompiledForm, FormContext, Lang } from "./types";
import { type Value, fromAnswer, toAnswer, toNumber, toText } from "./values";

/** Key columns of the register lists, by which `FormContext.list` is keyed. */
const KEYS: Record<string, string> = {
  households: "household_id", points: "point_id", stations: "station_id", roster: "roster_entry_id", persons: "person_id",
  batches: "batch_id", campaigns: "campaign_id", fillers: "filler_id",
};

export class Recalculation {
  private readonly pending: (Set<Instance> | undefined)[] = [];
  private readonly names: readonly Entry[];

  constructor(
    readonly form: CompiledForm,
    readonly structure: Structure,
    readonly context: FormContext,
    readonly record: Instance,
  ) {
    this.names = form.order.map((name) => structure.get(name)!);
  }

  environment(instance: Instance, lang: Lang = "zh"): Environment {
    const around: Instance[] = [];
    for (let at: Instance | undefined = instance; at; at = at.parent) around.unshift(at);
    return {
      frames: around.map((each) => each.frame), positions: around.map((each) => each.position),
      today: this.context.today(), now: this.context.now(), settings: this.context.settings,
      lists: (list, keyColumn, key) => this.find(list, keyColumn, key), choices: this.form.choices, lang, steps: 0,
    };
  }

  private find(list: string, keyColumn: string, key: string): Record<string, unknown> | undefined {
    const entries = this.context.list(list);
    if (keyColumn === KEYS[list]) return entries.get(key);
    for (const entry of entries.values()) if (toText(entry[keyColumn]) === key) return entry;
    return undefined;
  }

  value(expression: Ast, instance: Instance): Value {
    return evaluate(expression, this.environment(instance));
  }

  /** An evaluation beyond its bounds counts as no answer; the server says so as LIMIT. */
  private safely(expression: Ast, instance: Instance): Value {
    try {
      return this.value(expression, instance);
    } catch (error) {
      if (error instanceof TooMuch) return "";
      throw error;
    }
  }

  holds(expression: Ast | true | undefined, instance: Instance): boolean {
    if (expression === undefined || expression === true) return expression === true;
    return truth(this.safely(expression, instance));
  }

  /** Everything, from the beginning. */
  all(): void {
    this.names.forEach((entry, at) => {
      this.pending[at] = new Set(descend(this.record, entry.chain));
    });
    this.sweep();
  }

  /** One answer or one repeat has changed. */
  changed(name: string, instance: Instance): void {
    const entry = this.structure.get(name)!;
    this.add(entry.order, [instance]);
    this.sweep();
  }

  /** A new instance: all that is in it, and all that looks at its repeat. */
  added(repeat: string, instance: Instance): void {
    this.names.forEach((entry, at) => {
      const inside = entry.chain.indexOf(repeat);
      if (inside >= 0) this.add(at, descend(instance, entry.chain.slice(inside + 1)));
    });
    this.instancesChanged(repeat, instance.parent!);
  }

  /** Positions have moved: whatever is inside, and whatever looks at the repeat. */
  instancesChanged(repeat: string, owner: Instance): void {
    this.add(this.structure.get(repeat)!.order, [owner]);
    this.names.forEach((entry, at) => {
      const inside = entry.chain.indexOf(repeat);
      if (inside >= 0) this.add(at, descend(owner, entry.chain.slice(inside)));
    });
    this.tellDependents(repeat, owner);
    this.sweep();
  }

  private add(order: number, instances: Iterable<Instance>): void {
    const waiting = (this.pending[order] ??= new Set());
    for (const instance of instances) waiting.add(instance);
  }

  /** In the order of evaluation nothing waits for what comes after it, so one pass is enough. */
  private sweep(): void {
    for (let at = 0; at < this.names.length; at++) {
      const waiting = this.pending[at];
      if (!waiting) continue;
      this.pending[at] = undefined;
      const entry = this.names[at]!;
      for (const instance of waiting) if (this.refresh(entry, instance)) this.tellDependents(entry.row.name, instance);
    }
    this.pending.length = 0;
  }

  private tellDependents(name: string, instance: Instance): void {
    for (const [dependent, shared] of this.form.dependents[name] ?? []) {
      const entry = this.structure.get(dependent)!;
      const base = instance.at(shared);
      this.add(entry.order, descend(base, entry.chain.slice(base.level)));
    }
  }

  /** Brings one question of one instance up to date; says whether anybody else has to know. */
  private refresh(entry: Entry, instance: Instance): boolean {
    const { row } = entry;
    const parent = entry.parent === undefined ? undefined : this.structure.get(entry.parent)!;
    const inRelevant = !parent || (instance.at(parent.chain.length).relevant.get(parent.row.name) ?? true);
    const relevant = inRelevant && (row.relevant === undefined || truth(this.safely(row.relevant, instance)));
    const wasRelevant = instance.relevant.get(row.name);
    instance.relevant.set(row.name, relevant);
    if (isRepeat(row)) {
      instance.frame[row.name] = relevant ? instance.children(row.name).map((child) => child.frame) : [];
      return true;
    }
    if (relevant) this.compute(entry, instance);
    const before = instance.frame[row.name];
    const after = relevant ? seen(row.type, instance.raw.get(row.name)) : "";
    instance.frame[row.name] = after;
    return before !== after || wasRelevant !== relevant;
  }

  private compute({ row }: Entry, instance: Instance): void {
    const expression = row.calculation ?? (instance.touched.has(row.name) ? undefined : row.dynamic_default);
    if (expression !== undefined) put(instance, row.name, computed(row.type, this.safely(expression, instance)));
  }
}

const truth = (value: Value): boolean => Boolean(value);

/** How expressions see an answer; a ticked acknowledge is ODK's OK. */
function seen(type: string, answer: Answer): Value {
  return type === "acknowledge" && answer === true ? "OK" : fromAnswer(answer);
}

/** An expression's value as an answer to a question of this type. */
export function computed(type: string, value: Value): Answer {
  if (type === "integer" || type === "decimal") return toAnswer(toNumber(value)) as Answer;
  if (type === "calculate" || type === "hidden") return toAnswer(value);
  if (type.startsWith("select_multiple")) return words(value).length ? words(value) : undefined;
  if (type === "acknowledge") return truth(value) || undefined;
  return toAnswer(toText(value)) as Answer;
}

export function put(instance: Instance, name: string, answer: Answer): void {
  if (isEmpty(answer)) instance.raw.delete(name);
  else instance.raw.set(name, answer);
}

export function isEmpty(answer: Answer): boolean {
  return answer === undefined || answer === null || answer === "" || (Array.isArray(answer) && answer.length === 0) || Number.isNaN(answer);
}
