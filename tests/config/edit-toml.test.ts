import { expect, test } from "vitest";
import { editToml } from "../../src/config/edit-toml.ts";

const model = ["model"];
const ofProfile = ["profiles", "a b", "model"];

test.each([
  ["an empty file", "", { path: model, value: "m" }, 'model = "m"\n'],
  ["a comment behind the value stays", 'model = "a" # b\n', { path: model, value: "m" }, 'model = "m" # b\n'],
  ["in single quotes", "model = 'a#b'\n", { path: model, value: "m" }, 'model = "m"\n'],
  ["in many lines", 'model = """\na\n"""\nx = 1\n', { path: model, value: "m" }, 'model = "m"\nx = 1\n'],
  ["quoted key", '"model" = "a"\n', { path: model, value: "m" }, '"model" = "m"\n'],
  [
    "behind the last key of the top",
    "x = [\n  1, # [t]\n]\n\n[t]\ny = 1\n",
    { path: model, value: "m" },
    'x = [\n  1, # [t]\n]\nmodel = "m"\n\n[t]\ny = 1\n',
  ],
  [
    "before the first table",
    "# c\n[t]\nmodel = 1\n",
    { path: model, value: "m" },
    'model = "m"\n# c\n[t]\nmodel = 1\n',
  ],
  ["taken away", 'a = 1\nmodel = "x" # y\nb = 2\n', { path: model, value: undefined }, "a = 1\nb = 2\n"],
  ["not there to be taken away", "a = 1\n", { path: model, value: undefined }, "a = 1\n"],
  ["a table of its own", "a = 1\n", { path: ofProfile, value: "m" }, 'a = 1\n\n[profiles."a b"]\nmodel = "m"\n'],
  [
    "into its table",
    '[profiles."a b"]\nx = 1\n\n[z]\n',
    { path: ofProfile, value: "m" },
    '[profiles."a b"]\nx = 1\nmodel = "m"\n\n[z]\n',
  ],
  ["by a dotted key", 'profiles."a b".model = "x"\n', { path: ofProfile, value: "m" }, 'profiles."a b".model = "m"\n'],
  ["ends of lines as they are", 'a = 1\r\nmodel = "x"\r\n', { path: model, value: "m" }, 'a = 1\r\nmodel = "m"\r\n'],
  ["a text that needs escapes", "", { path: model, value: 'a"b\n' }, 'model = "a\\"b\\n"\n'],
])("%s", (_, text, change, expected) => {
  expect(editToml(text, change)).toBe(expected);
});

test("what cannot be edited for sure is left alone, and said", () => {
  const change = { path: ofProfile, value: "m" };
  expect(() => editToml('profiles = { "a b" = { model = "x" } }\n', change)).toThrow(/change the file by hand/);
});
