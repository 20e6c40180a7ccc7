/** Whether one answer has the form of its question type; the twin of schemas/shape.py. */
import { parseDate, parseDateTime } from "./dates";
import type { Answer } from "./types";
import { characterCount, numberToText } from "./values";

const NAME_MAX = 200;
const TEXT_MAX = 5_000;
const CHOICES_MAX = 500;
export const INSTANCES_MAX = 500;

const isText = (value: unknown): boolean =>
  typeof value === "string" && value !== "" && characterCount(value) <= TEXT_MAX && isClean(value);
const isName = (value: unknown): boolean => isText(value) && characterCount(value as string) <= NAME_MAX;
const isNumber = (value: unknown): boolean => Number.isFinite(value) && Math.abs(value as number) <= 2 ** 53;
const isDate = (value: unknown): boolean => typeof value === "string" && parseDate(value) !== undefined;
const isDateTime = (value: unknown): boolean => typeof value === "string" && parseDateTime(value) !== undefined;
const isScalar = (value: unknown): boolean => typeof value === "boolean" || isNumber(value) || isText(value);

/** No NUL and no half of a surrogate pair. */
function isClean(text: string): boolean {
  return !/\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
}

function isSeveral(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length > 0 && value.length <= CHOICES_MAX && value.every(isName) &&
    new Set(value).size === value.length
  );
}

function isPosition(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { lat, lon, ...rest } = value as Record<string, unknown>;
  const known = Object.keys(rest).every((key) => key === "accuracy_m" || key === "altitude_m");
  return known && [lat, lon, ...Object.values(rest)].every(isNumber) && Math.abs(lat as number) <= 90 && Math.abs(lon as number) <= 180;
}

const FITS: Record<string, (value: unknown) => boolean> = {
  text: isText, barcode: isText, integer: (value) => isNumber(value) && Number.isInteger(value), decimal: isNumber,
  date: isDate, dateTime: isDateTime, select_one: isName, select_multiple: isSeveral, select_one_from_file: isName,
  select_multiple_from_file: isSeveral, image: isName, audio: isName, geopoint: isPosition,
  acknowledge: (value) => value === true, calculate: isScalar, hidden: isScalar, start: isDateTime, end: isDateTime,
  today: isDate, deviceid: isName, username: isName,
};

/** Whether `value` cannot be an answer to a question of this type. */
export function answerFault(type: string, value: Answer): boolean {
  const fits = FITS[type];
  return !fits || !fits(value);
}

export function decimalsOf(number: number): number {
  return numberToText(number).split(".")[1]?.length ?? 0;
}
