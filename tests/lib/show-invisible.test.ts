import { expect, test } from "vitest";
import { showHidden, showInvisible } from "../../src/lib/show-invisible.ts";

test.each([
  ["\u202a", "\u202e"],
  ["\u2066", "\u2069"],
  ["\u200b", "\u200f"],
  ["\u2060", "\u2064"],
  ["\u00ad", "\u00ad"],
  ["\u061c", "\u061c"],
  ["\ufeff", "\ufeff"],
  ["\u2028", "\u2029"],
  ["\u115f", "\u1160"],
  ["\u3164", "\u3164"],
  ["\ufff9", "\ufffb"],
  ["\u2800", "\u2800"],
  ["\ud800", "\udbff"],
  ["\udc00", "\udfff"],
  ["\u{e0020}", "\u{e007f}"],
  ["\u{e0100}", "\u{e01ef}"],
])("nothing between %j and %j stays unseen", (first, last) => {
  for (let code = first.codePointAt(0) ?? 0; code <= (last.codePointAt(0) ?? 0); code += 1) {
    const character = String.fromCodePoint(code);
    expect(showInvisible(`rm ${character}x${character}`)).toBe(
      `rm \\u{${code.toString(16)}}x\\u{${code.toString(16)}}`,
    );
  }
});

test.each([
  ["", ""],
  ["plain\n\t\u001b[31m", "plain\n\t\u001b[31m"],
  ["grüß 漢字 שלום سلام नमस्ते e\u0301", "grüß 漢字 שלום سلام नमस्ते e\u0301"],
  ["⚠\ufe0f 👍🏽", "⚠\ufe0f 👍🏽"],
  ["ls\ufe0f", "ls\\u{fe0f}"],
  ["👩\u200d💻", "👩\\u{200d}💻"],
  ["touch gpj.\u202egnp", "touch gpj.\\u{202e}gnp"],
])("%j is shown as %j", (text, shown) => {
  expect(showInvisible(text)).toBe(shown);
});

test.each([
  ["a\n\tb c 漢 👍🏽", "a\n\tb c 漢 👍🏽"],
  ["\r\n", "\\x0d\n"],
  ["\u0001\u0008\u000b\u000c\u001b\u007f\u0080\u0085\u009b", "\\x01\\x08\\x0b\\x0c\\x1b\\x7f\\x80\\x85\\x9b"],
  ["\u00a0\u1680\u2000\u200a\u202f\u205f\u3000", "\\u{a0}\\u{1680}\\u{2000}\\u{200a}\\u{202f}\\u{205f}\\u{3000}"],
  ["\u202e\ud800x", "\\u{202e}\\u{d800}x"],
  ["\0\u001b\0", "\0\\x1b\0"],
])("in a question, %j is shown as %j", (text, shown) => {
  expect(showHidden(text)).toBe(shown);
});
