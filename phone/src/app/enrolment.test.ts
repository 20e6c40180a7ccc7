import { describe, expect, it } from "vitest";
import { cleanCode, deviceLabel, isWholeCode } from "./enrolment";

describe("an enrolment code", () => {
  it("is understood however it is typed or scanned", () => {
    const given = ["abcd2345", "ABCD-2345", " abcd 2345 ", "ＡＢＣＤ－２３４５", "https://x.cn/phone/#enrol=ABCD-2345", "#enrol=abcd-2345&x=1"];
    expect(given.map(cleanCode)).toEqual(given.map(() => "ABCD-2345"));
  });
  it("is whole only with eight characters", () => {
    expect(["ABCD-2345", "ABCD-234", "", "ABCD"].map((code) => isWholeCode(cleanCode(code)))).toEqual([true, false, false, false]);
  });
});

it("a phone is named by its model", () => {
  expect(deviceLabel("Mozilla/5.0 (Linux; Android 9; MI 6 Build/PKQ1) AppleWebKit")).toBe("MI 6");
  expect(deviceLabel("Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X)")).toBe("iPhone");
});
