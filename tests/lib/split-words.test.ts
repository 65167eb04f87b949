import { expect, test } from "vitest";
import { splitWords } from "../../src/lib/split-words.ts";

test.each<[string, readonly string[]]>([
  ["", []],
  [" \t\n", []],
  ["a  b\tc\nd", ["a", "b", "c", "d"]],
  [`a'b c'"d e"f`, ["ab cd ef"]],
  [`'' ""`, ["", ""]],
  ["a\\ b \\\\ \\'", ["a b", "\\", "'"]],
  [`"\\$ \\\` \\" \\\\ \\a \\\nb"`, ['$ ` " \\ \\a b']],
  ["'\\'", ["\\"]],
  ["a\\\nb c \\\n d", ["ab", "c", "d"]],
  ["a # b\nc #d e#f", ["a", "c"]],
  ["a#b '#' \\#", ["a#b", "#", "#"]],
  ["echo in > a.txt; echo status=$?", ["echo", "in", ">", "a.txt;", "echo", "status=$?"]],
  ["é\u00a0x 😀", ["é\u00a0x", "😀"]],
])("%j has the words %j", (text, words) => {
  expect(splitWords(text)).toEqual(words);
});

test.each(["'a", '"a', '"a\\"', "a\\", `"a'`])("%j is left open", (text) => {
  expect(splitWords(text)).toBeUndefined();
});

test("a word may be a megabyte", () => {
  const text = "a\\b".repeat(400_000);
  expect(splitWords(`"${text}" '${text}'`)).toEqual([text, text]);
});
