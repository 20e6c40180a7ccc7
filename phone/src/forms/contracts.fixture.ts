/** The contract cases with everything compiled by the server, for the tests of this folder. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const own = `${root}.venv/bin/python`;
const python = existsSync(own) ? own : "python3";

export function readContracts<T>(): T {
  const output = execFileSync(python, [`${root}tests/contracts/compiled.py`], { encoding: "utf8", maxBuffer: 64 << 20 });
  return JSON.parse(output) as T;
}
