/** PouchDB can lose the end of a replication over a bad network; what waits for it would then wait for good. */
export class Stalled extends Error {}

/** Rejects with Stalled when `work` has not said for `ms` that something moves. What it does afterwards is nobody's any more. */
export function unlessStalled<Result>(ms: number, work: (moves: () => void) => Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const moves = (): void => {
      clearTimeout(timer);
      if (!ended) timer = setTimeout(() => reject(new Stalled("Nothing has moved for a while.")), ms);
    };
    moves();
    work(moves)
      .finally(() => {
        ended = true;
        clearTimeout(timer);
      })
      .then(resolve, reject);
  });
}
