import "fake-indexeddb/auto";
import { describe, expect, it } from "vitest";
import { dropDraft, newDraftId, readDraft, readDrafts, readMedia, recordId, Saver, settle, writeDraft, writeMedia, type Draft } from "./drafts";

const draft = (more: Partial<Draft> = {}): Draft => ({
  draft_id: newDraftId(), form_id: "household_visit", form_version: "1", village_code: "370304001901", filler_id: "f1", started_at: "", updated_ms: 1, page: 0, ...more,
});

describe("drafts", () => {
  it("come back as they were written", async () => {
    const kept = draft({ snapshot: { record: [1, 2] } });
    await writeDraft(kept);
    expect(await readDraft(kept.draft_id)).toEqual(kept);
  });

  it("go with their photos and nobody else's", async () => {
    const [mine, other] = [draft({ draft_id: "a" }), draft({ draft_id: "a-b" })];
    await writeDraft(mine);
    await writeMedia(mine.draft_id, "photo.jpg", new Blob(["1"]));
    await writeMedia(other.draft_id, "photo.jpg", new Blob(["2"]));
    await dropDraft(mine.draft_id);
    expect(await readMedia(mine.draft_id, "photo.jpg")).toBeUndefined();
    expect(await readMedia(other.draft_id, "photo.jpg")).toBeDefined();
  });

  it("make the same record id however often they are finished", () => {
    expect(recordId({ draft_id: "u", form_id: "f" }, "2020-02-21")).toBe("record:f:20200221:u");
  });

  it("that became records are dropped, and only those", async () => {
    const done = draft({ finishing_as: "record:1" });
    const unfinished = draft({ finishing_as: "record:2" });
    const fresh = draft();
    for (const each of [done, unfinished, fresh]) await writeDraft(each);
    const open = await settle([done, unfinished, fresh], (each) => Promise.resolve(each.finishing_as === "record:1"));
    expect(open).toEqual([unfinished, fresh]);
    const left = (await readDrafts()).map((each) => each.draft_id);
    expect(left).not.toContain(done.draft_id);
    expect(left).toContain(unfinished.draft_id);
  });
});

describe("the saver", () => {
  it("writes the last state, one write at a time", async () => {
    const written: number[] = [];
    let busy = 0;
    const saver = new Saver<number>(
      async (value) => {
        expect(++busy).toBe(1);
        await Promise.resolve();
        written.push(value);
        busy -= 1;
      },
      () => undefined,
    );
    for (let value = 1; value <= 50; value += 1) saver.put(value);
    await saver.settled();
    expect(written.at(-1)).toBe(50);
    expect(written.length).toBeLessThan(50);
  });

  it("begins the last write at once when the page is about to go, and once only", async () => {
    const begun: number[] = [];
    const saver = new Saver<number>(
      (value) => {
        begun.push(value);
        return new Promise((resolve) => setTimeout(resolve));
      },
      () => undefined,
    );
    for (const value of [1, 2, 3]) saver.put(value);
    saver.hurry();
    saver.hurry();
    expect(begun).toEqual([1, 3]);
    await saver.settled();
    expect(begun).toEqual([1, 3]);
  });

  it("tells of a failed write and goes on with the next", async () => {
    const failures: unknown[] = [];
    const written: number[] = [];
    const saver = new Saver<number>(
      (value) => (value === 1 ? Promise.reject(new Error("full")) : Promise.resolve(void written.push(value))),
      (error) => failures.push(error),
    );
    saver.put(1);
    await saver.settled();
    saver.put(2);
    await saver.settled();
    expect([failures.length, written]).toEqual([1, [2]]);
  });
});
