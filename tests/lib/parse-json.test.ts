import { describe, expect, test } from "vitest";
import { isTooDeep, jsonText, parseDeepJson, parseJson } from "../../src/lib/parse-json.ts";

const arrays = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const objects = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;
const tooDeep = { ok: false, problem: "nested more than 500 levels deep" };

describe("what may be parsed can be written again", () => {
  test.each([
    ["arrays", arrays],
    ["objects", objects],
    ["the last of many members", (levels: number) => `{"x":1,"y":[],"z":[0,"",null,${arrays(levels - 2)}]}`],
  ])("500 levels of %s, not one more", (_, nested) => {
    const parsed = parseJson(nested(500));
    expect(parsed.ok && JSON.stringify(parsed.value)).toBe(nested(500));
    expect(parseJson(nested(501))).toEqual(tooDeep);
    expect(parseJson(nested(200_000))).toEqual(tooDeep);
  });

  test("brackets in strings are no levels", () => {
    const text = JSON.stringify({ a: "[".repeat(10_000), "{": ["{".repeat(10_000)] });
    expect(parseJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  test("who takes parts of it gets any depth", () => {
    const parsed = parseDeepJson(`{"id":7,"params":${arrays(200_000)}}`);
    expect(parsed).toMatchObject({ ok: true, value: { id: 7 } });
    expect(parsed.ok && isTooDeep(parsed.value)).toBe(true);
  });
});

test.each([
  ["text", "text"],
  ["", ""],
  [undefined, ""],
  [null, "null"],
  [5, "5"],
  [{ toString: 1 }, '{"toString":1}'],
  [Object.create(null), "{}"],
])("the text of %j is %s", (value, text) => {
  expect(jsonText(value)).toBe(text);
});
