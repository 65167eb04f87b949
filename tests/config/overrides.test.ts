import { expect, test } from "vitest";
import { applyOverride, parseOverrides, settingsToOverrides } from "../../src/config/overrides.ts";
import { parseTomlFile } from "../../src/config/parse-toml.ts";

function merged(toml: string, ...texts: readonly string[]): unknown {
  const values = parseTomlFile(toml, "config.toml");
  for (const override of parseOverrides(texts)) applyOverride(values, override);
  return values;
}

test.each([
  ["model=o3", "o3"],
  ['model="o3"', "o3"],
  ["model='o3'", "o3"],
  ['model="o3', "o3"],
  ["model= o3 ", "o3"],
  [" model =o3", "o3"],
  ["model=a=b", "a=b"],
  ["model=", ""],
  ["model=2024-01-01", "2024-01-01"],
  ["model=2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"],
  [`model="'o3'"`, "'o3'"],
  ["model='\"o3", "o3"],
  ["model=true", true],
  ["model=1_000", 1000n],
  ["model=1.5", 1.5],
  ["model=nan", Number.NaN],
  ['model=["a", "b"]', ["a", "b"]],
  ["model=[1,", "[1,"],
  ["model={a=1}", { a: 1n }],
  ["model=1\nprofile=2", "1\nprofile=2"],
  ["model=größe", "größe"],
])("the value of -c %j", (text, value) => {
  expect(merged("", text)).toEqual({ model: value });
});

test.each([
  ["foo", "Error parsing -c overrides: Invalid override (missing '='): foo"],
  ["=x", "Error parsing -c overrides: Empty key in override: =x"],
  ["  =x", "Error parsing -c overrides: Empty key in override:   =x"],
])("-c %j is refused", (text, message) => {
  expect(() => parseOverrides([text])).toThrow(message);
});

test.each([
  ["a new table", "", ["a.b.c=1"], { a: { b: { c: 1n } } }],
  ["a key beside others", "[a]\nx = 1", ["a.b=2"], { a: { x: 1n, b: 2n } }],
  ["a scalar in the way", "a = 1", ["a.b=2"], { a: { b: 2n } }],
  ["an array in the way", "a = [1]", ["a.b=2"], { a: { b: 2n } }],
  ["a date in the way", "a = 2024-01-01", ["a.b=2"], { a: { b: 2n } }],
  ["the later of two", "", ["a=1", "a=2"], { a: 2n }],
  ["a table replaced by a value", "[a]\nx = 1", ["a=2"], { a: 2n }],
  ["a value that is a table", "[a]\nx = 1", ["a={y=2}"], { a: { y: 2n } }],
  ["empty segments", "", ["a..b=1"], { a: { "": { b: 1n } } }],
])("overrides merge: %s", (_, toml, texts, expected) => {
  expect(merged(toml, ...texts)).toEqual(expected);
});

test.each([
  "__proto__.polluted=1",
  "constructor.prototype.polluted=1",
  "a.__proto__.polluted=1",
  "__proto__={polluted=1}",
])("-c %s changes no prototype", (text) => {
  merged("[a]\nx = 1", text);
  expect(Reflect.get({}, "polluted")).toBeUndefined();
  expect(Reflect.get(Object, "polluted")).toBeUndefined();
});

test("a client's JSON settings become TOML values, and null takes a key away", () => {
  const values = parseTomlFile('model = "m"\nprofile = "p"\n[a]\nx = 1\ny = 2', "config.toml");
  const settings = JSON.parse(
    '{"model":null,"a.x":null,"a.z":[1,1.5,null],"notify":["x"],"t":{"k":true,"none":null,"__proto__":{"polluted":1}}}',
  );
  for (const override of settingsToOverrides(settings)) applyOverride(values, override);
  expect(JSON.stringify(values, (_, value) => (typeof value === "bigint" ? Number(value) : value))).toBe(
    '{"profile":"p","a":{"y":2,"z":[1,1.5,""]},"notify":["x"],"t":{"k":true,"__proto__":{"polluted":1}}}',
  );
  expect(Reflect.get({}, "polluted")).toBeUndefined();
});
