/** When to try again, and how many records go at once: pure, so that a test can walk through a bad day. */

const FIRST_MS = 2_000;
const LONGEST_MS = 5 * 60_000;

/** Doubles from 2 s to 5 min, ±30 % so that a village's phones do not come back together. `random` is in [0, 1). */
export function backOffMs(failures: number, random: number): number {
  const plain = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(plain * (0.7 + 0.6 * random));
}

export const TEXT_BATCH = 50;
export const MEDIA_BATCH = 2;

export interface Waiting {
  id: string;
  rev: string;
  media: boolean;
}

/** Text goes before photos: what the district counts arrives even when the signal lasts a few seconds. */
export function batches(waiting: Waiting[]): Waiting[][] {
  const cut = (list: Waiting[], size: number) => Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size));
  const text = waiting.filter((each) => !each.media);
  const media = waiting.filter((each) => each.media);
  return [...cut(text, TEXT_BATCH), ...cut(media, MEDIA_BATCH)];
}

/** Two halves of a batch that the server or a proxy found too large; none when one record alone is too large. */
export function halves(batch: Waiting[]): Waiting[][] {
  if (batch.length < 2) return [];
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
}
