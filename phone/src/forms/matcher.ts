/** Runs the programs that schemas/expressions/regex.py makes: all alternatives at once, so time stays bounded. */

export type Instruction = [number, ...number[]] | ["!", ...number[]] | ["|", number, number] | [">", number] | ["^"] | ["$"] | ["."];

/** Whether the whole of `text` matches. */
export function matches(program: readonly Instruction[], text: string): boolean {
  let state = closure(program, new Set([0]), true, false);
  let first = true;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const reached = new Set<number>();
    for (const at of state) if (takes(program[at]!, code)) reached.add(at + 1);
    if (reached.size === 0) return false;
    state = closure(program, reached, false, false);
    first = false;
  }
  return closure(program, state, first, true).has(program.length - 1);
}

function closure(program: readonly Instruction[], reached: Set<number>, atStart: boolean, atEnd: boolean): Set<number> {
  for (const at of reached) {
    const [kind, ...jumps] = program[at]!;
    if (kind === "|" || kind === ">") for (const jump of jumps) reached.add(jump as number);
    else if ((kind === "^" && atStart) || (kind === "$" && atEnd)) reached.add(at + 1);
  }
  return reached;
}

function takes(instruction: Instruction, code: number): boolean {
  if (instruction[0] === "!") return !within(instruction, 1, code);
  return typeof instruction[0] === "number" && within(instruction, 0, code);
}

function within(instruction: Instruction, first: number, code: number): boolean {
  for (let at = first; at < instruction.length; at += 2) {
    if ((instruction[at] as number) <= code && code <= (instruction[at + 1] as number)) return true;
  }
  return false;
}
