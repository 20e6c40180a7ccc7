import { describe, expect, it } from "vitest";
import { backOffMs, batches, halves, MEDIA_BATCH, TEXT_BATCH, type Waiting } from "./pace";

const waiting = (count: number, media: boolean): Waiting[] => Array.from({ length: count }, (_, index) => ({ id: `${media}${index}`, rev: "1-a", media }));

describe("the pace of syncing", () => {
  it("doubles from two seconds to five minutes and no further", () => {
    expect([1, 2, 3, 20].map((failures) => backOffMs(failures, 0.5))).toEqual([2000, 4000, 8000, 300_000]);
  });

  it("scatters phones that failed together", () => {
    expect(backOffMs(5, 0)).toBeLessThan(backOffMs(5, 0.999));
  });

  it("sends text before photos, and photos few at a time", () => {
    const cut = batches([...waiting(3, true), ...waiting(TEXT_BATCH + 1, false)]);
    expect(cut.map((batch) => [batch.length, batch[0]?.media])).toEqual([[TEXT_BATCH, false], [1, false], [MEDIA_BATCH, true], [1, true]]);
  });

  it("loses none and doubles none when a batch is halved down to single records", () => {
    let cut = [waiting(7, false)];
    while (cut.some((batch) => batch.length > 1)) cut = cut.flatMap((batch) => (batch.length > 1 ? halves(batch) : [batch]));
    expect(cut.flat().map((each) => each.id)).toEqual(waiting(7, false).map((each) => each.id));
  });

  it("cannot halve one record", () => {
    expect(halves(waiting(1, false))).toEqual([]);
  });
});
