import { expect, test } from "vitest";
import { quoteCommand } from "../../src/lib/quote-command.ts";
import { splitWords } from "../../src/lib/split-words.ts";
import { seededRandom } from "../patch/seeded-random.ts";

test.each<[readonly string[], string]>([
  [[], ""],
  [["touch", "", "a b", "it's", "$x", "a\\b", "^", "é"], `touch '' 'a b' "it's" '$x' "a\\\\b" '^' 'é'`],
  [[`touch made.txt && echo "it's $HOME" > 'a b'; true`], `"touch made.txt && echo \\"it's "'$HOME" > '"'a b'; true"`],
  [["azAZ09+-./:@]_"], "azAZ09+-./:@]_"],
  [["a^b"], "a'^b'"],
  [["^^"], "'^''^'"],
  [["it's!"], `"it's"'!'`],
  [["a=b", "~", "*", "#", "%", ",", "["], "'a=b' '~' '*' '#' '%' ',' '['"],
  [["a\nb", "\t"], "'a\nb' '\t'"],
  [["😀"], "'😀'"],
  [["a b", "\0", "$x"], "a b \0 $x"],
  [["git", "init", "my repo"], "git init 'my repo'"],
])("%j becomes %j", (argv, expected) => {
  expect(quoteCommand(argv)).toBe(expected);
});

test("a shell reads back the same words", () => {
  const random = seededRandom(7);
  const letters = Array.from({ length: 126 }, (_, index) => String.fromCharCode(index + 1)).concat("é", "😀");
  for (let round = 0; round < 2000; round += 1) {
    const argv = Array.from({ length: 1 + random(4) }, () =>
      Array.from({ length: random(6) }, () => letters[random(letters.length)]).join(""),
    );
    expect(splitWords(quoteCommand(argv))).toEqual(argv);
  }
});
