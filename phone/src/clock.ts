/** Days and times as the records carry them: Beijing, UTC+8, no daylight saving, whatever zone the phone is set to. */

const OFFSET_MS = 8 * 3600 * 1000;

/** RFC 3339 with +08:00, to the second. */
export function beijingTime(epochMs: number): string {
  return `${new Date(epochMs + OFFSET_MS).toISOString().slice(0, 19)}+08:00`;
}

/** YYYY-MM-DD. */
export function beijingDay(epochMs: number): string {
  return beijingTime(epochMs).slice(0, 10);
}

/** "HH:MM" of today, otherwise "MM-DD HH:MM". */
export function shortTime(epochMs: number, nowMs: number): string {
  const then = beijingTime(epochMs);
  const clock = then.slice(11, 16);
  return then.slice(0, 10) === beijingDay(nowMs) ? clock : `${then.slice(5, 10)} ${clock}`;
}
