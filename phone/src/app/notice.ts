/** One short message at the foot of the screen, read aloud by screen readers. */
import { signal } from "@preact/signals";

export const notice = signal("");
let timer: ReturnType<typeof setTimeout> | undefined;

export function notify(text: string): void {
  notice.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => (notice.value = ""), 5_000);
}
