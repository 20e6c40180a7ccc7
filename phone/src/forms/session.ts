/** One form being filled: answers in, pages and problems out. */
import { Instance } from "./instance";
import { choicesOf, offers, problemsOf } from "./judgement";
import { Recalculation, computed, isEmpty, put } from "./recalculation";
import { type Structure, isContainer, isRepeat, isUnseen, structureOf } from "./structure";
import { textIn } from "./texts";
import type {
  Answer, Answers, CompiledForm, CompiledRow, Confirmation, FieldState, FormContext, FormSession, OpenOptions, Problem, TextAst,
} from "./types";

interface SavedInstance {
  answers: [string, Answer][];
  touched: string[];
  confirmed: [string, string[]][];
  repeats: [string, SavedInstance[]][];
}
interface Saved {
  record: SavedInstance;
  extra: Record<string, unknown>;
}

const PATH_STEP = /^([^.[\]]+)\[([0-9]+)\]$/;

export class Session implements FormSession {
  private readonly structure: Structure;
  private readonly record = new Instance(undefined, "");
  private readonly work: Recalculation;
  private readonly listeners = new Set<() => void>();
  /** What the envelope was opened with and no question fills. */
  private extra: Record<string, unknown> = {};
  private cachedPages: FieldState[] | undefined;

  constructor(readonly form: CompiledForm, private readonly context: FormContext, initial: OpenOptions = {}) {
    this.structure = structureOf(form);
    this.work = new Recalculation(form, this.structure, context, this.record);
    if (initial.snapshot) this.restore(initial.snapshot as Saved);
    else this.begin(initial);
    this.work.all();
  }

  private begin({ answers, envelope }: OpenOptions): void {
    this.setDefaults(this.form.envelope, this.record);
    if (answers) this.fill(this.record, answers);
    else this.setDefaults(this.form.survey, this.record);
    for (const [name, value] of Object.entries(envelope ?? {})) {
      if (this.structure.get(name)?.inEnvelope) this.give(this.record, name, value as Answer);
      else this.extra[name] = value;
    }
  }

  private setDefaults(rows: CompiledRow[], instance: Instance): void {
    for (const row of rows) {
      if (row.default !== undefined) put(instance, row.name, row.default);
      if (row.type === "begin_group") this.setDefaults(row.children ?? [], instance);
    }
  }

  private fill(instance: Instance, answers: Answers): void {
    for (const [name, value] of Object.entries(answers)) {
      const entry = this.structure.get(name);
      if (!entry || entry.chain.length !== instance.level) continue;
      if (!isRepeat(entry.row)) this.give(instance, name, value as Answer);
      else for (const each of Array.isArray(value) ? (value as Answers[]) : []) this.fill(this.newInstance(instance, name), each);
    }
  }

  private give(instance: Instance, name: string, value: Answer): void {
    put(instance, name, value);
    instance.touched.add(name);
  }

  private newInstance(owner: Instance, repeat: string): Instance {
    const instance = new Instance(owner, repeat);
    owner.children(repeat).push(instance);
    return instance;
  }

  pages(): FieldState[] {
    return (this.cachedPages ??= this.makePages());
  }

  private makePages(): FieldState[] {
    const pages: FieldState[] = [];
    let loose: FieldState[] | undefined;
    for (const row of this.form.survey) {
      for (const state of this.states([row], this.record)) {
        if (state.kind === "group") {
          pages.push(state);
          loose = undefined;
        } else if (loose) loose.push(state);
        else pages.push(this.page((loose = [state])));
      }
    }
    const envelope = this.states(this.form.envelope, this.record);
    return envelope.length ? [...pages, { ...this.page(envelope), path: "envelope", name: "envelope", label: this.builtIn("ENVELOPE") }] : pages;
  }

  private builtIn(rule: string): string {
    return this.form.messages[rule]?.[this.context.lang] ?? "";
  }

  private page(children: FieldState[]): FieldState {
    const label = children[0]!.label;
    return {
      path: "", name: "", kind: "group", type: "begin_group", label, relevant: true, required: false, readOnly: false,
      value: undefined, problems: [], pii: "P0", children,
    };
  }

  /** The rows that the filler sees; a calculate shows only while something is wrong with it. */
  private states(rows: CompiledRow[], instance: Instance): FieldState[] {
    return rows
      .filter((row) => instance.relevant.get(row.name))
      .filter((row) => !isUnseen(row) || this.openProblems(row, instance).length > 0)
      .map((row) => this.state(row, instance));
  }

  private state(row: CompiledRow, instance: Instance): FieldState {
    const state: FieldState = {
      path: instance.prefix + row.name, name: row.name, kind: kindOf(row), type: row.type, label: this.text(row.label, instance) ?? "",
      relevant: instance.relevant.get(row.name) ?? false, required: this.work.holds(row.required, instance),
      readOnly: this.work.holds(row.read_only, instance), value: instance.raw.get(row.name),
      problems: this.openProblems(row, instance), pii: row.pii,
      ...present({
        appearance: row.appearance, hint: this.text(row.hint, instance), guidanceHint: this.text(row.guidance_hint, instance),
        parameters: row.parameters, decimals: row.decimals, elder: row.elder, coercion: this.coercion(row, instance),
        listName: row.type.endsWith("_from_file") ? row.list : undefined,
      }),
    };
    if (row.type === "select_one" || row.type === "select_multiple") state.choices = this.choices(row, instance);
    if (row.type === "begin_group") state.children = this.states(row.children ?? [], instance);
    if (isRepeat(row)) state.instances = instance.children(row.name).map((child) => this.states(row.children ?? [], child));
    return state;
  }

  private text(text: TextAst | undefined, instance: Instance): string | undefined {
    return text && textIn(this.work, text, instance, this.context.lang);
  }

  private choices(row: CompiledRow, instance: Instance): { name: string; label: string }[] {
    return choicesOf(this.work, row, instance).map(({ name, label }) => ({ name, label: label[this.context.lang] }));
  }

  private coercion(row: CompiledRow, instance: Instance): FieldState["coercion"] {
    if (!row.coerce || isEmpty(instance.raw.get(row.name)) || !this.work.holds(row.coerce.when, instance)) return undefined;
    const to = computed(row.type, this.work.value(row.coerce.to, instance));
    return { ask: textIn(this.work, row.coerce.ask, instance, this.context.lang), to };
  }

  private openProblems(row: CompiledRow, instance: Instance): Problem[] {
    return problemsOf(this.work, row, instance).filter(
      ({ rule, severity }) => severity === "E" || !instance.isConfirmed(row.name, rule),
    );
  }

  field(path: string): FieldState | undefined {
    const found = this.locate(path);
    return found && this.state(found.row, found.instance);
  }

  private locate(path: string): { row: CompiledRow; instance: Instance } | undefined {
    let instance: Instance | undefined = this.record;
    const steps = path.split(".");
    const name = steps.pop()!;
    for (const step of steps) {
      const match = PATH_STEP.exec(step);
      instance = match ? instance.repeats.get(match[1]!)?.[Number(match[2])] : undefined;
      if (!instance) return undefined;
    }
    const entry = this.structure.get(name);
    return entry && entry.chain.length === instance.level ? { row: entry.row, instance } : undefined;
  }

  private mustLocate(path: string): { row: CompiledRow; instance: Instance } {
    const found = this.locate(path);
    if (!found) throw new RangeError(`The form has no question at ${path}.`);
    return found;
  }

  set(path: string, value: Answer): void {
    const { row, instance } = this.mustLocate(path);
    if (isContainer(row) || row.calculation !== undefined) return;
    this.give(instance, row.name, value);
    instance.confirmed.delete(row.name);
    this.work.changed(row.name, instance);
    this.tell();
  }

  addInstance(repeatPath: string): void {
    const { row, instance } = this.mustLocate(repeatPath);
    if (!isRepeat(row)) return;
    const added = this.newInstance(instance, row.name);
    this.setDefaults(row.children ?? [], added);
    this.work.added(row.name, added);
    this.tell();
  }

  removeInstance(repeatPath: string, index: number): void {
    const { row, instance } = this.mustLocate(repeatPath);
    if (!instance.children(row.name)[index]) return;
    instance.children(row.name).splice(index, 1);
    this.work.instancesChanged(row.name, instance);
    this.tell();
  }

  prefill(repeatPath: string): number {
    const { row, instance } = this.mustLocate(repeatPath);
    const { prefill = "", key = "", map = "" } = row.parameters ?? {};
    const [list = "", column = ""] = prefill.split(".");
    const wanted = instance.at(this.structure.get(key)?.chain.length ?? 0).raw.get(key);
    const items = typeof wanted === "string" ? this.context.list(list).get(wanted)?.[column] : undefined;
    if (!isRepeat(row) || !Array.isArray(items) || instance.children(row.name).length) return 0;
    for (const item of items as Record<string, Answer>[]) {
      const added = this.newInstance(instance, row.name);
      this.setDefaults(row.children ?? [], added);
      for (const [name = "", from = ""] of map.split(" ").map((pair) => pair.split("="))) this.give(added, name, item[from]);
      this.work.added(row.name, added);
    }
    this.tell();
    return items.length;
  }

  confirm(path: string, rule: string): void {
    const { row, instance } = this.mustLocate(path);
    const rules = instance.confirmed.get(row.name) ?? new Set();
    instance.confirmed.set(row.name, rules.add(rule));
    this.tell();
  }

  entries(path: string): [string, Record<string, unknown>][] {
    const { row, instance } = this.mustLocate(path);
    if (!row.list || !row.type.endsWith("_from_file")) return [];
    return [...this.context.list(row.list)].filter(([, entry]) => offers(this.work, row, instance, entry));
  }

  problems(): Problem[] {
    const found: Problem[] = [];
    this.eachRelevant((row, instance) => found.push(...this.openProblems(row, instance)));
    return found;
  }

  /** Relevant rows in page order, the envelope last. */
  private eachRelevant(visit: (row: CompiledRow, instance: Instance) => void): void {
    const walk = (rows: CompiledRow[], instance: Instance): void => {
      for (const row of rows) {
        if (!instance.relevant.get(row.name)) continue;
        visit(row, instance);
        if (row.type === "begin_group") walk(row.children ?? [], instance);
        if (isRepeat(row)) for (const child of instance.children(row.name)) walk(row.children ?? [], child);
      }
    };
    walk(this.form.survey, this.record);
    walk(this.form.envelope, this.record);
  }

  snapshot(): unknown {
    return { record: saved(this.record), extra: this.extra } satisfies Saved;
  }

  private restore({ record, extra }: Saved): void {
    this.extra = extra;
    this.restoreInstance(this.record, record);
  }

  private restoreInstance(instance: Instance, from: SavedInstance): void {
    for (const [name, answer] of from.answers) put(instance, name, answer);
    for (const name of from.touched) instance.touched.add(name);
    for (const [name, rules] of from.confirmed) instance.confirmed.set(name, new Set(rules));
    for (const [repeat, instances] of from.repeats) {
      for (const each of instances) this.restoreInstance(this.newInstance(instance, repeat), each);
    }
  }

  toRecord(): { envelope: Record<string, unknown>; answers: Answers; confirmed: Confirmation[] } {
    const confirmed: Confirmation[] = [];
    this.eachRelevant((row, instance) => {
      for (const { rule, severity, path } of problemsOf(this.work, row, instance)) {
        if (severity === "W" && instance.isConfirmed(row.name, rule)) confirmed.push({ rule, path });
      }
    });
    const envelope = { ...this.extra, ...this.answers(this.form.envelope, this.record) };
    return { envelope, answers: this.answers(this.form.survey, this.record), confirmed };
  }

  private answers(rows: CompiledRow[], instance: Instance): Answers {
    const found: Answers = {};
    for (const row of rows) {
      if (!instance.relevant.get(row.name)) continue;
      const answer = instance.raw.get(row.name);
      const children = instance.children(row.name);
      if (row.type === "begin_group") Object.assign(found, this.answers(row.children ?? [], instance));
      else if (!isRepeat(row)) {
        if (answer !== undefined) found[row.name] = answer;
      } else if (children.length) found[row.name] = children.map((child) => this.answers(row.children ?? [], child));
    }
    return found;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(): void {
    this.cachedPages = undefined;
    for (const listener of this.listeners) listener();
  }
}

function kindOf(row: CompiledRow): FieldState["kind"] {
  if (row.type === "begin_group") return "group";
  if (isRepeat(row)) return "repeat";
  return row.type === "note" ? "note" : "question";
}

function present<T extends object>(parts: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: NonNullable<T[K]> };
}

function saved(instance: Instance): SavedInstance {
  return {
    answers: [...instance.raw], touched: [...instance.touched],
    confirmed: [...instance.confirmed].map(([name, rules]) => [name, [...rules]]),
    repeats: [...instance.repeats].map(([repeat, instances]) => [repeat, instances.map(saved)]),
  };
}
