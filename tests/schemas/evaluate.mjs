// Evaluates a batch of compiled expressions with the phone's evaluator: argv[2] is its bundle, stdin the batch, stdout the values.
import { readFileSync } from "node:fs";

const { evaluate } = await import(process.argv[2]);
const { scope, choices, cases } = JSON.parse(readFileSync(0, "utf8"));
const lists = (list, keyColumn, key) => Object.values(scope.lists[list] ?? {}).find((entry) => entry[keyColumn] === key);

function valueOf({ ast, frames, positions }) {
  try {
    const value = evaluate(ast, { ...scope, frames, positions, lists, choices, lang: "zh", steps: 0 });
    return typeof value === "number" ? { number: Object.is(value, -0) ? "0" : String(value) } : value;
  } catch (error) {
    return { error: error.constructor.name };
  }
}

process.stdout.write(JSON.stringify(cases.map(valueOf)));
