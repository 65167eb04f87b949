import { expect, test } from "vitest";
import { ResponseParser } from "../../src/model/http-response-parser.ts";
import { ModelError } from "../../src/model/model-client.ts";

interface Read {
  status?: number;
  headers?: Readonly<Record<string, string>>;
  body: string;
  isDone: boolean;
  canBeReused: boolean;
}

function read(chunks: readonly string[], isClosed = false): Read {
  const result: Read = { body: "", isDone: false, canBeReused: false };
  const parser = new ResponseParser({
    onHead: (status, headers) => Object.assign(result, { status, headers }),
    onBody: (bytes) => {
      result.body += bytes.toString("latin1");
    },
  });
  for (const chunk of chunks) parser.feed(Buffer.from(chunk, "latin1"));
  if (isClosed) parser.end();
  return Object.assign(result, { isDone: parser.isDone, canBeReused: parser.canBeReused });
}

const head = (...lines: string[]) => `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;

const cases: [string, string, Partial<Read>][] = [
  ["a length", `${head("Content-Length: 5")}hello`, { status: 200, body: "hello", isDone: true, canBeReused: true }],
  ["a length of nothing", head("content-length:0"), { body: "", isDone: true, canBeReused: true }],
  ["no length before the end", `${head("content-type: text/plain")}hel`, { body: "hel", isDone: false }],
  ["not yet whole", `${head("content-length: 5")}hel`, { body: "hel", isDone: false, canBeReused: false }],
  [
    "chunks",
    `${head("Transfer-Encoding: chunked")}3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: x\r\n\r\n`,
    { body: "hello", isDone: true, canBeReused: true },
  ],
  [
    "sizes in hex",
    `${head("transfer-encoding: gzip, chunked")}A \r\n0123456789\r\n0\r\n\r\n`,
    { body: "0123456789", isDone: true },
  ],
  [
    "a connection to be closed",
    `${head("connection: close", "content-length: 1")}x`,
    { isDone: true, canBeReused: false },
  ],
  ["an old version", "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx", { isDone: true, canBeReused: false }],
  [
    "an old version that stays",
    "HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 1\r\n\r\nx",
    { isDone: true, canBeReused: true },
  ],
  ["nothing to come", "HTTP/1.1 204 No Content\r\n\r\n", { status: 204, isDone: true, canBeReused: true }],
  ["no reason", "HTTP/1.1 429\r\ncontent-length: 0\r\n\r\n", { status: 429, isDone: true }],
  [
    "word in advance",
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${head("content-length: 0")}`,
    { status: 200, headers: { "content-length": "0" }, isDone: true },
  ],
  ["lines that end in LF", "HTTP/1.1 200 OK\ncontent-length: 2\n\nok", { body: "ok", isDone: true }],
  [
    "a header twice",
    head("X-A:  1 ", "x-a:2", "Empty:", "content-length: 0"),
    { headers: { "x-a": "1, 2", empty: "", "content-length": "0" } },
  ],
  [
    "the same length twice",
    `${head("content-length: 2", "Content-Length: 2")}ok`,
    { headers: { "content-length": "2" }, body: "ok", isDone: true, canBeReused: true },
  ],
  [
    "more than was asked for",
    `${head("content-length: 1")}xHTTP/1.1 200 OK`,
    { body: "x", isDone: true, canBeReused: false },
  ],
];

test.each(cases)("understands %s, however it is cut", (_name, text, expected) => {
  expect(read([text])).toMatchObject(expected);
  expect(read([...text])).toMatchObject(expected);
  for (let cut = 1; cut < text.length; cut++) {
    expect(read([text.slice(0, cut), text.slice(cut)])).toMatchObject(expected);
  }
});

test("without a length the body ends with the connection, which cannot be used again", () => {
  expect(read([`${head()}hello`], true)).toMatchObject({ body: "hello", isDone: true, canBeReused: false });
});

test("an end in the middle is no end", () => {
  expect(read([`${head("content-length: 5")}hel`], true).isDone).toBe(false);
  expect(read([`${head("transfer-encoding: chunked")}5\r\nhello\r\n`], true).isDone).toBe(false);
  expect(read(["HTTP/1.1 200 OK\r\n"], true).isDone).toBe(false);
});

test.each([
  ["another protocol", "SSH-2.0-OpenSSH\r\n"],
  ["a header without a name", head(": x")],
  ["a header continued on the next line", head("a: b", " c")],
  ["a length that is no number", head("content-length: 1, 1")],
  ["two different lengths", head("content-length: 1", "content-length: 2")],
  ["a size that is no number", `${head("transfer-encoding: chunked")}-1\r\n`],
  ["a chunk that is too long", `${head("transfer-encoding: chunked")}1\r\nab\r\n`],
  ["a line without an end", `HTTP/1.1 200 OK\r\nx: ${"x".repeat(70_000)}`],
])("refuses %s", (_name, text) => {
  expect(() => read([text])).toThrow();
});

const kilobyte = `x: ${"x".repeat(1019)}\r\n`;
test.each([
  ["headers", "HTTP/1.1 200 OK\r\n", kilobyte],
  ["words in advance", "", `HTTP/1.1 103 Early Hints\r\n${kilobyte}\r\n`],
])("a head of more than 1 MiB is refused: %s", (_name, begin, repeated) => {
  const fine = begin + repeated.repeat(900);
  expect(() => read([fine])).not.toThrow();
  const error = new ModelError("the head of the answer is longer than 1 MiB", { isRetryable: false });
  expect(() => read([fine, repeated.repeat(200)])).toThrow(error);
});
