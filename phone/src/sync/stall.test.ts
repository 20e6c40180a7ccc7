import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Stalled, unlessStalled } from "./stall";

const never = (): Promise<never> => new Promise(() => undefined);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a round that may stall", () => {
  it("work that never ends and does nothing is given up", async () => {
    const given = expect(unlessStalled(1000, never)).rejects.toBeInstanceOf(Stalled);
    await vi.advanceTimersByTimeAsync(1000);
    await given;
  });

  it("work that goes on moving has all the time it needs", async () => {
    let moves = (): void => undefined;
    let end = (_: string): void => undefined;
    const round = unlessStalled(1000, (told) => {
      moves = told;
      return new Promise<string>((resolve) => (end = resolve));
    });
    for (let n = 0; n < 5; n++) {
      await vi.advanceTimersByTimeAsync(900);
      moves();
    }
    end("done");
    expect(await round).toBe("done");
    moves();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("what work fails with is passed on, and nothing is left behind", async () => {
    await expect(unlessStalled(1000, () => Promise.reject(new Error("no signal")))).rejects.toThrow("no signal");
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
