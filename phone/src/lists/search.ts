/** Search as you type over rows in memory: number, name, pinyin, initials, address, or the content of a scanned code. */
import type { Row } from "./today";

/** A scanned code may be an address that ends in the id, or the id itself. */
export function scannedId(content: string): string {
  const tail = content.trim().split(/[/#?=]/).filter(Boolean).at(-1) ?? "";
  try {
    return decodeURIComponent(tail);
  } catch {
    return tail;
  }
}

function score(row: Row, words: string[], query: string): number {
  if (row.id.toLowerCase() === query) return 0;
  let best = 9;
  for (const word of words) {
    const at = row.haystack.indexOf(word);
    if (at < 0) return -1;
    best = Math.min(best, at === 0 || row.haystack[at - 1] === " " ? 1 : 2);
  }
  return best;
}

/** Rows that hold every word of the query, exact id first, then those where a word begins, in list order. */
export function search(rows: Row[], query: string): Row[] {
  const clean = query.normalize("NFKC").trim().toLowerCase();
  if (!clean) return rows;
  const words = clean.split(/\s+/);
  const found: [number, Row][] = [];
  for (const row of rows) {
    const rank = score(row, words, clean);
    if (rank >= 0) found.push([rank, row]);
  }
  return found.sort((a, b) => a[0] - b[0]).map(([, row]) => row);
}
