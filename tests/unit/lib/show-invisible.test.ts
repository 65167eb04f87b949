import { expect, test } from "vitest";
import { showInvisible } from "../../../src/lib/show-invisible.ts";

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
