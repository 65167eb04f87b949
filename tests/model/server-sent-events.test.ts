import { expect, test } from "vitest";
import { ModelError } from "../../src/model/model-client.ts";
import { EventParser } from "../../src/model/server-sent-events.ts";

function parse(...chunks: string[]): string[] {
  const parser = new EventParser();
  return [...chunks.flatMap((chunk) => parser.feed(chunk)), ...parser.end()];
}

test.each([
  ["one event", "event: x\ndata: 1\n\n", ["1"]],
  ["no space behind the colon", "data:1\n\n", ["1"]],
  ["only one space is taken away", "data:  1\n\n", [" 1"]],
  ["several events", "data: 1\n\ndata: 2\n\n\n\ndata: 3\n\n", ["1", "2", "3"]],
  ["lines that end in CR LF", "event: x\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", ["1", "2"]],
  ["lines that end in CR", "data: 1\r\rdata: 2\r\r", ["1", "2"]],
  ["several data lines", "data: 1\nid: 7\ndata: 2\n\n", ["1\n2"]],
  ["comments", ": data: no\n\n: ping\ndata: 1\n\n", ["1"]],
  ["fields behind the data", "data: 1\nretry: 5\n\n", ["1"]],
  ["other fields", "metadata: 1\n\nid: data: 1\n\n", []],
  ["the word in the payload", 'data: {"a":"data: 2"}\n\n', ['{"a":"data: 2"}']],
  ["no blank line at the end", "data: 1\n\ndata: 2", ["1", "2"]],
  ["an empty payload", "data:\n\n", [""]],
  ["nothing", "", []],
  ["a byte order mark", "\uFEFFdata: 1\n\ndata: \uFEFF2\n\n", ["1", "\uFEFF2"]],
  ["only one byte order mark", "\uFEFF\uFEFFdata: 1\n\ndata: 2\n\n", ["2"]],
  ["a document behind a byte order mark", '\uFEFF{"a":\n\n1}', ['{"a":\n\n1}']],
  ["a document instead of a stream", '{"a":\n\n1}', ['{"a":\n\n1}']],
])("understands %s, however it is cut", (_name, text, payloads) => {
  expect(parse(text)).toEqual(payloads);
  expect(parse(...text)).toEqual(payloads);
  for (let cut = 1; cut < text.length; cut++) expect(parse(text.slice(0, cut), text.slice(cut))).toEqual(payloads);
});

test("takes a long payload in many chunks without searching it again each time", () => {
  const parser = new EventParser();
  const chunk = "x".repeat(4_096);
  parser.feed("data: ");
  for (let count = 0; count < 16_000; count++) parser.feed(chunk); // searched again each time, it would take minutes
  expect(parser.feed("\n\n")[0]).toHaveLength(16_000 * chunk.length);
});

test("a text without characters decides nothing", () => {
  expect(parse("", "\uFEFF", "", '{"a":1}')).toEqual(['{"a":1}']);
});

test.each([
  ["an event", "data: ", ""],
  ["an event of many lines", "data: \n", "\ndata: "],
  ["a document", "{", ""],
  ["an event that ends with the text", "data: ", "\n\n"],
])("%s of more than 64 MiB is refused", (_name, begin, end) => {
  const parser = new EventParser();
  const chunk = "x".repeat(2 ** 20);
  parser.feed(begin);
  for (let count = 0; count < 63; count++) parser.feed(chunk);
  const refused = () => [parser.feed(chunk + end), parser.feed(end)];
  const message = "stream disconnected before completion: one event of the answer is longer than 64 MiB";
  expect(refused).toThrow(new ModelError(message, { isRetryable: false }));
});
