import { expect, test } from "vitest";
import { childEnvironment, type ShellEnvironmentPolicy } from "../../src/process/child-env.ts";

const defaults: ShellEnvironmentPolicy = {
  inherit: "all",
  ignoreDefaultExcludes: false,
  exclude: [],
  set: {},
  includeOnly: [],
};

const parent = {
  PATH: "/bin",
  HOME: "/home/me",
  USERNAME: "me",
  LANG: "C",
  FOO_ONE: "1",
  foo_two: "2",
  A_KEY: "k",
  my_secret_place: "s",
  TOKENS: "t",
  GONE: undefined,
};

test.each<[string, Partial<ShellEnvironmentPolicy>, Record<string, string>]>([
  [
    "the default drops names that sound secret",
    {},
    { PATH: "/bin", HOME: "/home/me", USERNAME: "me", LANG: "C", FOO_ONE: "1", foo_two: "2" },
  ],
  ["core keeps the core set", { inherit: "core" }, { PATH: "/bin", HOME: "/home/me", USERNAME: "me" }],
  ["none keeps nothing", { inherit: "none" }, {}],
  ["none and set", { inherit: "none", set: { ONLY: "this" } }, { ONLY: "this" }],
  [
    "default excludes can be ignored",
    { ignoreDefaultExcludes: true, exclude: ["*foo*", "LANG", "USER????"] },
    { PATH: "/bin", HOME: "/home/me", A_KEY: "k", my_secret_place: "s", TOKENS: "t" },
  ],
  [
    "exclude is a pattern for the whole name in any case",
    { exclude: ["foo_*", "OME", "LAN"] },
    { PATH: "/bin", HOME: "/home/me", USERNAME: "me", LANG: "C" },
  ],
  [
    "include_only comes last",
    { includeOnly: ["p?th", "B_*"], set: { B_KEY: "b", C: "c" } },
    { PATH: "/bin", B_KEY: "b" },
  ],
  ["set may add a name that the default excludes", { inherit: "none", set: { B_KEY: "b" } }, { B_KEY: "b" }],
  ["include_only may remove what was set", { includeOnly: ["HOME"], set: { B_KEY: "b" } }, { HOME: "/home/me" }],
  ["a pattern has no other special characters", { includeOnly: ["HO.E", "[A-Z]*", "(LANG)"] }, {}],
])("%s", (_, policy, expected) => {
  expect(childEnvironment({ ...defaults, ...policy }, parent, { networkDisabled: false })).toEqual(expected);
});

test("our own credentials are handed on only when set names them", () => {
  const own = { CODEX_API_KEY: "a", OPENAI_API_KEY: "b", OTHER_KEY: "c" };
  const open = { ...defaults, ignoreDefaultExcludes: true };
  expect(childEnvironment(open, own, { networkDisabled: false })).toEqual({ OTHER_KEY: "c" });
  const named = { ...open, set: { OPENAI_API_KEY: "theirs" } };
  expect(childEnvironment(named, own, { networkDisabled: false })).toEqual({
    OTHER_KEY: "c",
    OPENAI_API_KEY: "theirs",
  });
});

test("a command is told when it has no network, whatever the patterns say", () => {
  const policy = { ...defaults, includeOnly: ["HOME"] };
  expect(childEnvironment(policy, parent, { networkDisabled: true })).toEqual({
    HOME: "/home/me",
    CODEX_SANDBOX_NETWORK_DISABLED: "1",
  });
});

test("a pattern that nearly fits in many ways is not searched for ever", () => {
  const policy = {
    inherit: "all",
    ignoreDefaultExcludes: true,
    exclude: [`${"*a".repeat(100)}b`],
    set: {},
    includeOnly: [],
  } as const;
  const name = "a".repeat(400);
  expect(childEnvironment(policy, { [name]: "kept" }, { networkDisabled: false })).toEqual({ [name]: "kept" });
});
