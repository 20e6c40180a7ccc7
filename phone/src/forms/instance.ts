/** The record, or one instance of a repeat: answers as given, and as expressions see them. */
import type { Answer } from "./types";
import type { Frame } from "./values";

export class Instance {
  /** Answers as given, those to irrelevant questions too. */
  readonly raw = new Map<string, Answer>();
  /** Values as expressions see them: nothing where a question is irrelevant. */
  readonly frame: Frame = {};
  readonly relevant = new Map<string, boolean>();
  /** Questions that the filler has answered or cleared, so that their defaults keep away. */
  readonly touched = new Set<string>();
  /** question → the W rules that the filler confirmed. */
  readonly confirmed = new Map<string, Set<string>>();
  readonly repeats = new Map<string, Instance[]>();

  constructor(readonly parent: Instance | undefined, readonly repeat: string) {}

  get level(): number {
    return this.parent ? this.parent.level + 1 : 0;
  }

  /** The instance around this one at `level`; level 0 is the record. */
  at(level: number): Instance {
    return this.level <= level || !this.parent ? this : this.parent.at(level);
  }

  children(repeat: string): Instance[] {
    let found = this.repeats.get(repeat);
    if (!found) this.repeats.set(repeat, (found = []));
    return found;
  }

  get position(): number {
    return this.parent ? this.parent.children(this.repeat).indexOf(this) + 1 : 0;
  }

  /** rep_person[0]. in front of a name, nothing in the record itself. */
  get prefix(): string {
    return this.parent ? `${this.parent.prefix}${this.repeat}[${this.position - 1}].` : "";
  }

  isConfirmed(name: string, rule: string): boolean {
    return this.confirmed.get(name)?.has(rule) ?? false;
  }
}

/** All instances at the end of `path` below `base`. */
export function descend(base: Instance, path: readonly string[]): Instance[] {
  return path.reduce<Instance[]>((found, repeat) => found.flatMap((instance) => instance.children(repeat)), [base]);
}
