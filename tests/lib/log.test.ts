import { expect, test } from "vitest";
import { isLogged, logFilter, startLog } from "../../src/lib/log.ts";

test.each([
  ["debug", "debug", "sandbox", true],
  ["debug", "trace", "sandbox", false],
  ["off", "error", "sandbox", false],
  ["warn,sandbox=trace", "trace", "sandbox", true],
  ["warn,sandbox=trace", "info", "proto", false],
  ["sandbox=off,info", "error", "sandbox", false],
  ["INFO", "info", "proto", true],
  ["nonsense", "error", "proto", false],
] as const)("the filter %j and a line of level %s about %s", (filter, level, target, expected) => {
  startLog({ RUST_LOG: filter }, "error");
  expect(isLogged(level, target)).toBe(expected);
});

test("our own variable goes before the reference's, an empty one counts as none", () => {
  expect(logFilter({ CODEX_LOG: "debug", RUST_LOG: "error" })).toBe("debug");
  expect(logFilter({ CODEX_LOG: "", RUST_LOG: "error" })).toBe("error");
  startLog({ CODEX_LOG: "" }, "warn");
  expect([isLogged("warn", "x"), isLogged("info", "x")]).toEqual([true, false]);
});
