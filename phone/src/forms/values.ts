/** XPath 1.0's conversions; the twin of schemas/expressions/values.py. */
import { daysOf } from "./dates";

export type Value = string | number | boolean;
export interface Frame {
  [name: string]: Value | Frame[];
}

const NUMBER = /^[ \t\r\n]*-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[ \t\r\n]*$/;
const SPACES = /^[ \t\r\n]+|[ \t\r\n]+$/g;

export function toNumber(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "string") return NUMBER.test(value) ? Number(value.replace(SPACES, "")) : daysOf(value);
  return typeof value === "boolean" ? Number(value) : NaN;
}

export function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return numberToText(value);
  return typeof value === "boolean" ? String(value) : "";
}

export function toBoolean(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** The shortest decimal digits that give the number back, never with an exponent. */
export function numberToText(number: number): string {
  const shortest = String(number);
  const [mantissa, exponent] = shortest.split("e");
  if (exponent === undefined) return Object.is(number, -0) ? "0" : shortest;
  const sign = mantissa!.startsWith("-") ? "-" : "";
  const [whole, fraction = ""] = mantissa!.slice(sign.length).split(".");
  const digits = whole! + fraction;
  const point = whole!.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits.replace(/0+$/, "")}`;
  const rest = digits.slice(point).replace(/0+$/, "");
  return sign + digits.padEnd(point, "0").slice(0, point) + (rest ? `.${rest}` : "");
}

/** XPath's `=`: an answer beside text is compared as text; else booleans win over numbers, numbers over text. */
export function equal(a: unknown, b: unknown, aIsAnswer: boolean, bIsAnswer: boolean): boolean {
  const [aText, bText] = [typeof a === "string", typeof b === "string"];
  if ((aText && (bText || bIsAnswer)) || (bText && aIsAnswer)) return toText(a) === toText(b);
  if (typeof a === "boolean" || typeof b === "boolean") return toBoolean(a) === toBoolean(b);
  return toNumber(a) === toNumber(b);
}

/** An answer as expressions see it: several choices and a position become text, an absent one is "". */
export function fromAnswer(answer: unknown): Value {
  if (typeof answer === "string" || typeof answer === "number" || typeof answer === "boolean") return answer;
  if (Array.isArray(answer)) return answer.map(toText).join(" ");
  if (typeof answer === "object" && answer !== null && "lat" in answer) return positionText(answer as Record<string, unknown>);
  return "";
}

function positionText(position: Record<string, unknown>): string {
  return [position.lat ?? "", position.lon ?? "", 0, position.accuracy_m ?? 0].map(toText).join(" ");
}

/** A value as it is kept in a record; undefined for "", NaN and the infinite. */
export function toAnswer(value: Value): Value | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value + 0 : undefined;
  return value === "" ? undefined : value;
}

/** Characters as code points, so that rare Chinese characters count as one. */
export function characters(text: string): string[] {
  return Array.from(text);
}

export function characterCount(text: string): number {
  return /[\ud800-\udbff]/.test(text) ? characters(text).length : text.length;
}
