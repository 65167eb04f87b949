import { describe, expect, test } from "vitest";
import { cleanToolSchema } from "../../src/mcp-client/tool-schema.ts";

const open = { type: "object", properties: {} };

/** What becomes of the schema of one property. */
function cleanProperty(schema: unknown): unknown {
  return cleanToolSchema({ properties: { it: schema } })["properties"];
}

describe("a tool's schema", () => {
  test.each<[unknown, object]>([
    [undefined, open],
    [null, open],
    [true, open],
    ["text", open],
    [{}, open],
    [{ type: "string" }, open],
    [{ type: "object", properties: 5, required: "all" }, open],
    [{ type: "object", $schema: "x", title: "t", $defs: {}, examples: [] }, open],
    [
      { description: "d", additionalProperties: false },
      { ...open, description: "d", additionalProperties: false },
    ],
    [{ additionalProperties: true }, { ...open, additionalProperties: true }],
    [{ required: ["a", 1, "b"] }, { ...open, required: ["a", "b"] }],
  ])("%j becomes an object", (schema, cleaned) => {
    expect(cleanToolSchema(schema)).toEqual(cleaned);
  });

  test.each<[unknown, object]>([
    [true, { type: "string" }],
    [false, { type: "string" }],
    [{}, { type: "string" }],
    [
      { type: "integer", minimum: 1, description: "d" },
      { type: "number", description: "d" },
    ],
    [{ type: "boolean", default: true }, { type: "boolean" }],
    [{ type: ["null", "integer", "string"] }, { type: "number" }],
    [{ type: ["null"] }, { type: "string" }],
    [{ type: "null" }, { type: "string" }],
    [{ type: "file" }, { type: "string" }],
    [{ properties: { a: true } }, { type: "object", properties: { a: { type: "string" } } }],
    [{ required: ["a"] }, { ...open, required: ["a"] }],
    [{ items: { type: "integer" } }, { type: "array", items: { type: "number" } }],
    [{ prefixItems: [{ type: "number" }] }, { type: "array", items: { type: "string" } }],
    [{ type: "array" }, { type: "array", items: { type: "string" } }],
    [
      { type: "array", items: [{ type: "number" }] },
      { type: "array", items: { type: "string" } },
    ],
    [
      { type: "array", items: { type: "array" } },
      { type: "array", items: { type: "array", items: { type: "string" } } },
    ],
    [{ enum: ["a", "b"] }, { type: "string" }],
    [{ const: 5 }, { type: "string" }],
    [{ format: "date" }, { type: "string" }],
    [{ minimum: 1 }, { type: "number" }],
    [{ exclusiveMaximum: 1 }, { type: "number" }],
    [{ multipleOf: 2 }, { type: "number" }],
    [{ anyOf: [{ type: "number" }] }, { type: "string" }],
    [{ $ref: "#" }, { type: "string" }],
  ])("a property %j becomes %j", (schema, cleaned) => {
    expect(cleanProperty(schema)).toEqual({ it: cleaned });
  });

  test("additional properties with a schema make the object open, and the rest of it stays", () => {
    const map = { type: "object", additionalProperties: { type: "string" }, properties: { a: { type: "integer" } } };
    const cleaned = { type: "object", properties: { a: { type: "number" } }, additionalProperties: true };
    expect(cleanToolSchema(map)).toEqual(cleaned);
    expect(cleanProperty(map)).toEqual({ it: cleaned });
  });

  test("a property may have any name", () => {
    const schema = JSON.parse('{"properties":{"__proto__":{"type":"integer"},"type":{"type":"boolean"}}}');
    expect(JSON.stringify(cleanToolSchema(schema))).toBe(
      '{"type":"object","properties":{"__proto__":{"type":"number"},"type":{"type":"boolean"}}}',
    );
  });

  test("one that is nested without an end is cut", () => {
    let schema: object = {};
    for (let depth = 0; depth < 100_000; depth += 1) schema = { properties: { a: schema } };
    expect(JSON.stringify(cleanToolSchema(schema)).length).toBeLessThan(2_000);
  });
});
