/**
 * What a compiled form, a session over it and their surroundings look like.
 *
 * A compiled form is made by `schemas.compile_form`; its shape is described there. Expressions arrive parsed, as `Ast`.
 */

export interface GeoPoint {
  lat: number;
  lon: number;
  accuracy_m?: number;
}
export type Answer = string | number | boolean | string[] | GeoPoint | undefined;
export interface Answers {
  [name: string]: Answer | Answers[];
}

export type Lang = "zh" | "en";
export type Severity = "E" | "W" | "F";
export type Pii = "P0" | "P1" | "P2";
export interface Text {
  zh: string;
  en: string;
}

/** A literal, or [operation, …arguments]. */
export type Ast = string | number | boolean | AstCall;
export type AstCall = [operation: string, ...args: AstArgument[]];
export type AstArgument = Ast | readonly unknown[];

/** A text in each language: a string literal, or an expression when it contains ${…}. */
export interface TextAst {
  zh: Ast;
  en: Ast;
}

export interface CompiledConstraint {
  id: string;
  severity: Severity;
  expr: Ast;
  message: TextAst;
}

export interface CompiledRow {
  name: string;
  /** XLSForm's type without its list: text, select_one, begin_group, … */
  type: string;
  list?: string;
  label?: TextAst;
  hint?: TextAst;
  guidance_hint?: TextAst;
  required?: true | Ast;
  required_message?: TextAst;
  relevant?: Ast;
  constraint?: CompiledConstraint[];
  calculation?: Ast;
  default?: Answer;
  dynamic_default?: Ast;
  read_only?: true | Ast;
  appearance?: string;
  parameters?: Record<string, string>;
  choice_filter?: Ast;
  pii: Pii;
  decimals?: number;
  coerce?: { id: string; when: Ast; to: Ast; ask: TextAst };
  elder?: Record<string, unknown>;
  children?: CompiledRow[];
}

export interface CompiledChoice {
  name: string;
  label: Text;
  [column: string]: unknown;
}

export interface CompiledForm {
  form_id: string;
  version: string;
  title: Text;
  settings: Record<string, unknown>;
  survey: CompiledRow[];
  envelope: CompiledRow[];
  choices: Record<string, CompiledChoice[]>;
  /** Every name that something else reads or that is computed, in the order of evaluation. */
  order: string[];
  /** name → [dependent, number of enclosing repeats that both share]. */
  dependents: Record<string, [string, number][]>;
  /** Built-in messages: rule → text with {label} and other placeholders. */
  messages: Record<string, Text>;
}

export interface FormContext {
  /** The Beijing day, YYYY-MM-DD. */
  today(): string;
  /** RFC 3339 with +08:00. */
  now(): string;
  settings: Record<string, unknown>;
  /** Register entries keyed by their id. */
  list(name: string): ReadonlyMap<string, Record<string, unknown>>;
  lang: Lang;
}

export interface Problem {
  rule: string;
  severity: Severity;
  path: string;
  message: Text;
}
export interface Choice {
  name: string;
  label: string;
}

export interface FieldState {
  path: string;
  name: string;
  kind: "question" | "group" | "repeat" | "note";
  type: string;
  appearance?: string;
  label: string;
  hint?: string;
  guidanceHint?: string;
  relevant: boolean;
  required: boolean;
  readOnly: boolean;
  value: Answer;
  choices?: Choice[];
  problems: Problem[];
  coercion?: { ask: string; to: Answer };
  /** The register list behind a select_one_from_file. */
  listName?: string;
  children?: FieldState[];
  instances?: FieldState[][];
  parameters?: Record<string, string>;
  pii: Pii;
  decimals?: number;
  elder?: Record<string, unknown>;
}

export interface Confirmation {
  rule: string;
  path: string;
}
export interface OpenOptions {
  answers?: Answers;
  snapshot?: unknown;
  envelope?: Record<string, unknown>;
}

export interface FormSession {
  readonly form: CompiledForm;
  /** One per top-level group, relevant only. */
  pages(): FieldState[];
  field(path: string): FieldState | undefined;
  set(path: string, value: Answer): void;
  addInstance(repeatPath: string): void;
  removeInstance(repeatPath: string, index: number): void;
  /**
   * Fills an empty repeat from a register entry, as its parameters say: `prefill` (list.column, a list of objects), `key` (the
   * question that holds the entry's id), `map` (question=column …). Returns the number of instances made.
   */
  prefill(repeatPath: string): number;
  /** The filler says that a W rule's complaint is all right. */
  confirm(path: string, rule: string): void;
  /** Every E, every unconfirmed W, every missing required answer, in page order. */
  problems(): Problem[];
  /** Everything, irrelevant answers too, as JSON. */
  snapshot(): unknown;
  toRecord(): { envelope: Record<string, unknown>; answers: Answers; confirmed: Confirmation[] };
  /** The register entries that a select_…_from_file offers here and now. */
  entries(path: string): [id: string, entry: Record<string, unknown>][];
  onChange(listener: () => void): () => void;
}
