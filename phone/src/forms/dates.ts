/** Days and times of Beijing (UTC+8), computed with integers; the twin of schemas/expressions/dates.py. */

const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const DATE_TIME =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}:[0-9]{2})?$/;
export const DAY_MS = 86_400_000;
const BEIJING_MIN = 480;
export const FIRST_DAY = -719_162;
export const LAST_DAY = 2_932_896;
const WEEKDAYS = "日一二三四五六";
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const quotient = (a: number, b: number): number => Math.floor(a / b);
const remainder = (a: number, b: number): number => a - b * Math.floor(a / b);
const padded = (number: number, width: number): string => String(number).padStart(width, "0");

function daysFromCivil(year: number, month: number, day: number): number | undefined {
  if (year < 1 || year > 9999 || month < 1 || month > 12) return undefined;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = MONTH_DAYS[month - 1]! + (leap && month === 2 ? 1 : 0);
  if (day < 1 || day > last) return undefined;
  const y = month <= 2 ? year - 1 : year;
  const era = quotient(y, 400);
  const yoe = remainder(y, 400);
  const doy = quotient(153 * ((month + 9) % 12) + 2, 5) + day - 1;
  return era * 146_097 + yoe * 365 + quotient(yoe, 4) - quotient(yoe, 100) + doy - 719_468;
}

function civilFromDays(days: number): [year: number, month: number, day: number] {
  const z = days + 719_468;
  const era = quotient(z, 146_097);
  const doe = remainder(z, 146_097);
  const yoe = quotient(doe - quotient(doe, 1_460) + quotient(doe, 36_524) - quotient(doe, 146_096), 365);
  const doy = doe - (365 * yoe + quotient(yoe, 4) - quotient(yoe, 100));
  const mp = quotient(5 * doy + 2, 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return [yoe + era * 400 + (month <= 2 ? 1 : 0), month, doy - quotient(153 * mp + 2, 5) + 1];
}

export function parseDate(text: string): number | undefined {
  const match = DATE.exec(text);
  return match ? daysFromCivil(+match[1]!, +match[2]!, +match[3]!) : undefined;
}

/** Milliseconds since Beijing's 1970-01-01T00:00. */
export function parseDateTime(text: string): number | undefined {
  const match = DATE_TIME.exec(text);
  if (!match) return undefined;
  const days = daysFromCivil(+match[1]!, +match[2]!, +match[3]!);
  const [hour, minute, second] = [+match[4]!, +match[5]!, +(match[6] ?? 0)];
  const offset = offsetMinutes(match[8]);
  if (days === undefined || offset === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  const ms = +(match[7] ?? "").slice(0, 3).padEnd(3, "0");
  return days * DAY_MS + (hour * 60 + minute - offset + BEIJING_MIN) * 60_000 + second * 1_000 + ms;
}

function offsetMinutes(text: string | undefined): number | undefined {
  if (!text) return BEIJING_MIN;
  if (text === "Z") return 0;
  const [hours, minutes] = [+text.slice(1, 3), +text.slice(4, 6)];
  if (hours > 14 || minutes > 59) return undefined;
  return (hours * 60 + minutes) * (text[0] === "-" ? -1 : 1);
}

/** Days since 1970-01-01 in Beijing, with the time of day as fraction; NaN for what is no date. */
export function daysOf(text: string): number {
  if (text.length < 10 || text[4] !== "-") return NaN;
  const days = parseDate(text);
  if (days !== undefined) return days;
  const ms = parseDateTime(text);
  return ms === undefined ? NaN : ms / DAY_MS;
}

export function msOf(text: string): number | undefined {
  const days = parseDate(text);
  return days === undefined ? parseDateTime(text) : days * DAY_MS;
}

export function formatDay(days: number): string {
  if (!(days >= FIRST_DAY && days <= LAST_DAY)) return "";
  const [year, month, day] = civilFromDays(days);
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
}

export function inCalendar(ms: number): boolean {
  return ms >= FIRST_DAY * DAY_MS && ms < (LAST_DAY + 1) * DAY_MS;
}

/** RFC 3339 in Beijing, milliseconds only when there are any. */
export function formatMs(ms: number): string {
  if (!inCalendar(ms)) return "";
  const rest = remainder(ms, DAY_MS);
  const time = [quotient(rest, 3_600_000), quotient(rest, 60_000) % 60, quotient(rest, 1_000) % 60];
  const milli = rest % 1_000;
  const fraction = milli ? `.${padded(milli, 3)}` : "";
  return `${formatDay(quotient(ms, DAY_MS))}T${time.map((part) => padded(part, 2)).join(":")}${fraction}+08:00`;
}

/** ODK's format-date letters; %a and %b are Chinese. */
export function formatWith(pattern: string, ms: number): string {
  const days = quotient(ms, DAY_MS);
  const rest = remainder(ms, DAY_MS);
  const [year, month, day] = civilFromDays(days);
  const hour = quotient(rest, 3_600_000);
  const letters: Record<string, string> = {
    Y: padded(year, 4), y: padded(year % 100, 2), m: padded(month, 2), n: String(month), b: `${month}月`,
    d: padded(day, 2), e: String(day), H: padded(hour, 2), h: String(hour), M: padded(quotient(rest, 60_000) % 60, 2),
    S: padded(quotient(rest, 1_000) % 60, 2), 3: padded(rest % 1_000, 3), a: "周" + WEEKDAYS[remainder(days + 4, 7)], "%": "%",
  };
  return pattern.replace(/%([^])/gu, (whole, letter: string) => letters[letter] ?? whole);
}

/** Whole years, as ages are counted. */
export function yearsBetween(fromDay: number, toDay: number): number {
  const [y1, m1, d1] = civilFromDays(fromDay);
  const [y2, m2, d2] = civilFromDays(toDay);
  return y2 - y1 - (m2 < m1 || (m2 === m1 && d2 < d1) ? 1 : 0);
}
