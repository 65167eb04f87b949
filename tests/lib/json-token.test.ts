import { expect, test } from "vitest";
import { numberToken } from "../../src/lib/json-token.ts";

test.each([
  ['{"id":9007199254740993}', ["id"], "9007199254740993"],
  ['{"x":{"id":1},"id" : -12345678901234567890 }', ["id"], "-12345678901234567890"],
  ['{"a":"\\"id\\":1}","b":["}",{"id":2}],"id":3}', ["id"], "3"],
  ['{"id":1,"id":2}', ["id"], "2"],
  ['{"\\u0069d":7}', ["id"], "7"],
  ['{"params":{"_meta":{"t":5}}}', ["params", "_meta", "t"], "5"],
  ['{"id":1.5}', ["id"], "1.5"],
  ['{"id":"5"}', ["id"], undefined],
  ['{"id":null}', ["id"], undefined],
  ['{"x":1}', ["id"], undefined],
  ['{"params":[1]}', ["params", "id"], undefined],
  ["{}", ["id"], undefined],
])("%s has at %j the number %s", (json, path, token) => {
  expect(numberToken(json, path)).toBe(token);
});
