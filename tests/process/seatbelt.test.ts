import { expect, test } from "vitest";
import { seatbeltCommand, seatbeltProfile } from "../../src/process/seatbelt.ts";

const roots = [
  {
    path: "/Users/me/my (deny) project",
    readOnly: ["/Users/me/my (deny) project/.git", "/Users/me/repo/.git/worktrees/w"],
  },
  { path: "/private/tmp", readOnly: ["/private/tmp/.git"] },
];

test("every path is a parameter and none stands in the text", () => {
  const profile = seatbeltProfile({ roots, network: true, cacheFolder: "/private/var/folders/a/b/C" });
  expect(profile.parameters).toEqual({
    ROOT_0: "/Users/me/my (deny) project",
    ROOT_0_RO_0: "/Users/me/my (deny) project/.git",
    ROOT_0_RO_1: "/Users/me/repo/.git/worktrees/w",
    ROOT_1: "/private/tmp",
    ROOT_1_RO_0: "/private/tmp/.git",
    CACHE: "/private/var/folders/a/b/C",
  });
  expect(profile.text).not.toMatch(/Users|private|folders/);
  for (const name of Object.keys(profile.parameters)) expect(profile.text).toContain(`(param "${name}")`);
});

test("read-only parts are refused as themselves and below", () => {
  const { text } = seatbeltProfile({ roots: roots.slice(1), network: false });
  expect(text).toContain(
    '(allow file-write* (require-all (subpath (param "ROOT_0")) (require-not (literal (param "ROOT_0_RO_0"))) ' +
      '(require-not (subpath (param "ROOT_0_RO_0")))))',
  );
});

test("read-only allows one write, to /dev/null", () => {
  const { text, parameters } = seatbeltProfile({ roots: [], network: false });
  expect(parameters).toEqual({});
  expect(text.match(/file-write/g)).toHaveLength(1);
  expect(text).toContain('(allow file-write* (require-all (literal "/dev/null") (vnode-type CHARACTER-DEVICE)))');
});

test.each([
  [false, /network|system-socket|trustd/, 0],
  [true, /network-outbound|network-bind|system-socket/g, 3],
])("network %s", (network, pattern, expected) => {
  const { text } = seatbeltProfile({ roots, network, cacheFolder: "/c" });
  expect(text.match(pattern)?.length ?? 0).toBe(expected);
});

test("the profile's brackets match", () => {
  const { text } = seatbeltProfile({ roots, network: true, cacheFolder: "/c" });
  const outside = text.replace(/"[^"]*"/g, "");
  expect(outside.match(/\(/g)?.length).toBe(outside.match(/\)/g)?.length);
});

test("the program is called by its own path and takes the command as it is", () => {
  const profile = { text: "(version 1)", parameters: { ROOT_0: "/a b", ROOT_1: "/c=d" } };
  expect(seatbeltCommand(profile, ["-p", "x y"])).toEqual([
    "/usr/bin/sandbox-exec",
    "-p",
    "(version 1)",
    "-D",
    "ROOT_0=/a b",
    "-D",
    "ROOT_1=/c=d",
    "--",
    "-p",
    "x y",
  ]);
});
