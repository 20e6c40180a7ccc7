/** The functions that need nothing but their arguments; the twin of schemas/expressions/functions.py. */
import {
  DAY_MS, FIRST_DAY, LAST_DAY, formatDay, formatMs, formatWith, inCalendar, msOf, parseDate, parseDateTime, yearsBetween,
} from "./dates";
import * as identity from "./identity";
import { type Value, characterCount, characters, numberToText, toBoolean, toNumber, toText } from "./values";

export const TEXT_MAX = 100_000;

/** An evaluation exceeded its bound of steps or text. */
export class TooMuch extends Error {}

type Args = readonly unknown[];

export function words(value: unknown): string[] {
  return toText(value).split(/[ \t\r\n]+/).filter(Boolean);
}

function bounded(text: string): string {
  if (text.length > TEXT_MAX && characterCount(text) > TEXT_MAX) throw new TooMuch("text");
  return text;
}

export function roundHalfUp(number: number): number {
  if (!Number.isFinite(number) || Math.abs(number) >= 2 ** 52) return number;
  const low = Math.floor(number);
  return (number - low >= 0.5 ? low + 1 : low) + 0;
}

/** Rounds the shortest decimal form of the number, so that 1.005 to two places is 1.01. */
function roundTo(value: unknown, places: unknown = 0): number {
  const number = toNumber(value);
  const digits = Math.trunc(toNumber(places));
  if (Number.isNaN(digits)) return NaN;
  if (!Number.isFinite(number) || digits === 0) return roundHalfUp(number);
  const bound = Math.max(-30, Math.min(30, digits));
  return shift(roundHalfUp(shift(number, bound)), -bound);
}

function shift(number: number, places: number): number {
  return Number.isFinite(number) ? Number(`${numberToText(number)}e${places}`) : number;
}

function substr(text: unknown, start: unknown, end?: unknown): string {
  const letters = characters(toText(text));
  const first = index(start, letters.length);
  const last = end === undefined ? letters.length : index(end, letters.length);
  return Number.isNaN(first) || Number.isNaN(last) ? "" : letters.slice(first, Math.max(first, last)).join("");
}

function index(value: unknown, length: number): number {
  const number = Math.trunc(toNumber(value));
  return Math.max(0, Math.min(number < 0 ? number + length : number, length));
}

function selectedAt(several: unknown, place: unknown): string {
  return words(several)[Math.trunc(toNumber(place))] ?? "";
}

function best(values: Args, better: (a: number, b: number) => boolean): number {
  const numbers = values.map(toNumber);
  if (numbers.length === 0 || numbers.some(Number.isNaN)) return NaN;
  return numbers.reduce((a, b) => (better(b, a) ? b : a));
}

function translate(text: unknown, source: unknown, target: unknown): string {
  const replacements = characters(toText(target));
  const table = new Map<string, string>();
  characters(toText(source)).forEach((character, at) => {
    if (!table.has(character)) table.set(character, replacements[at] ?? "");
  });
  return characters(toText(text)).map((character) => table.get(character) ?? character).join("");
}

function before(text: unknown, mark: unknown): string {
  const at = toText(text).indexOf(toText(mark));
  return at < 0 ? "" : toText(text).slice(0, at);
}

function after(text: unknown, mark: unknown): string {
  const at = toText(text).indexOf(toText(mark));
  return at < 0 ? "" : toText(text).slice(at + toText(mark).length);
}

function date(value: unknown): string {
  const ms = typeof value === "string" ? msOf(value) : undefined;
  if (ms !== undefined) return formatDay(Math.floor(ms / DAY_MS));
  return formatDay(Math.floor(toNumber(value)));
}

/** Milliseconds in Beijing's count of a date, a date with time, or a number of days. */
function msFrom(value: unknown): number | undefined {
  const written = typeof value === "string" ? msOf(value) : undefined;
  if (written !== undefined) return written;
  const number = roundHalfUp(toNumber(value) * DAY_MS);
  return number >= FIRST_DAY * DAY_MS && number < (LAST_DAY + 1) * DAY_MS ? number : undefined;
}

function dayFrom(value: unknown): number | undefined {
  const ms = msFrom(value);
  return ms === undefined ? undefined : Math.floor(ms / DAY_MS);
}

function dateTime(value: unknown): string {
  const ms = msFrom(value);
  return ms === undefined ? "" : formatMs(ms);
}

function formatDate(value: unknown, pattern: unknown): string {
  const ms = msFrom(value);
  return ms === undefined || !inCalendar(ms) ? "" : formatWith(toText(pattern), ms);
}

function between(count: (first: number, last: number) => number): (start: unknown, end: unknown) => number {
  return (start, end) => {
    const [first, last] = [dayFrom(start), dayFrom(end)];
    return first === undefined || last === undefined ? NaN : count(first, last);
  };
}

/** A date stays a date (fractions of a day are dropped), a date with time keeps its time. */
function addDays(value: unknown, days: unknown): string {
  const [ms, number] = [msFrom(value), toNumber(days)];
  if (ms === undefined || !Number.isFinite(number)) return "";
  const hasTime = typeof value === "string" && parseDate(value) === undefined && parseDateTime(value) !== undefined;
  return hasTime ? formatMs(roundHalfUp(ms + number * DAY_MS)) : formatDay(Math.floor(Math.floor(ms / DAY_MS) + number));
}

function daysFrom(value: unknown): number {
  const ms = msFrom(value);
  return ms === undefined ? NaN : ms / DAY_MS;
}

export const PURE: Record<string, (...args: unknown[]) => Value> = {
  true: () => true,
  false: () => false,
  not: (value) => !toBoolean(value),
  boolean: toBoolean,
  "boolean-from-string": (value) => ["1", "true"].includes(toText(value)),
  string: toText,
  concat: (...values) => bounded(values.flat().map(toText).join("")),
  join: (glue, ...values) => bounded(values.flat().map(toText).join(toText(glue))),
  "string-length": (value) => characterCount(toText(value)),
  substr,
  contains: (text, part) => toText(text).includes(toText(part)),
  "starts-with": (text, part) => toText(text).startsWith(toText(part)),
  "ends-with": (text, part) => toText(text).endsWith(toText(part)),
  "substring-before": before,
  "substring-after": after,
  "normalize-space": (value) => words(value).join(" "),
  translate,
  number: toNumber,
  int: (value) => Math.trunc(toNumber(value)) + 0,
  round: roundTo,
  floor: (value) => Math.floor(toNumber(value)) + 0,
  ceiling: (value) => Math.ceil(toNumber(value)) + 0,
  abs: (value) => Math.abs(toNumber(value)),
  sum: (...values) => values.flat().reduce<number>((total, value) => total + toNumber(value), 0),
  min: (...values) => best(values.flat(), (a, b) => a < b),
  max: (...values) => best(values.flat(), (a, b) => a > b),
  count: (...values) => values.flat().length,
  "count-non-empty": (...values) => values.flat().filter((value) => value !== "").length,
  selected: (several, one) => words(several).includes(toText(one).replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "")),
  "count-selected": (value) => words(value).length,
  "selected-at": selectedAt,
  date,
  "date-time": dateTime,
  "format-date": formatDate,
  "format-date-time": formatDate,
  "decimal-date-time": daysFrom,
  "days-between": between((first, last) => last - first),
  "years-between": between(yearsBetween),
  "add-days": addDays,
  "cn-resident-id": (value) => identity.birthDate(toText(value)) !== "",
  "cn-resident-birth-date": (value) => identity.birthDate(toText(value)),
  "cn-resident-sex": (value) => identity.sex(toText(value)),
  "normalize-resident-id": (value) => identity.normalizeResidentId(toText(value)),
  "normalize-phone": (value) => identity.normalizePhone(toText(value)),
  "cn-mobile": (value) => identity.isMobile(toText(value)),
  "cn-landline": (value) => identity.isLandline(toText(value)),
  "+": (a, b) => toNumber(a) + toNumber(b),
  "-": (a, b) => toNumber(a) - toNumber(b),
  "*": (a, b) => toNumber(a) * toNumber(b),
  div: (a, b) => toNumber(a) / toNumber(b),
  mod: (a, b) => toNumber(a) % toNumber(b),
  neg: (a) => -toNumber(a),
  "<": (a, b) => toNumber(a) < toNumber(b),
  "<=": (a, b) => toNumber(a) <= toNumber(b),
  ">": (a, b) => toNumber(a) > toNumber(b),
  ">=": (a, b) => toNumber(a) >= toNumber(b),
};
