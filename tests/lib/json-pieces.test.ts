import { expect, test } from "vitest";
import { jsonPieces } from "../../src/lib/json-pieces.ts";

const long = `${"x".repeat(65_535)}\u{1f600}${'"\n'.repeat(50_000)}`;

test.each([
  ["an event with a long past", { id: "", msg: { type: "t", past: [{ text: 'a"b' }, { text: "" }], gone: undefined } }],
  ["nothing in it", { list: [], object: {}, none: null }],
  ["what JSON has no word for in a list", [undefined, Number.NaN, true]],
  ["a long text", { [long]: long }],
])("the pieces of a value are its JSON: %s", (_, value) => {
  const pieces = [...jsonPieces(value)];
  expect(JSON.parse(pieces.join(""))).toEqual(JSON.parse(JSON.stringify(value)));
});

test("no piece of a long text is long", () => {
  const lengths = [...jsonPieces([long])].map((piece) => piece.length);
  expect(Math.max(...lengths)).toBeLessThan(6 * 65_536 + 2);
  expect(lengths.length).toBeGreaterThan(2);
});
