import { once } from "node:events";
import http from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { Credential } from "../../src/auth/credentials.ts";
import { UserError } from "../../src/lib/errors.ts";
import { readStream } from "../../src/model/event-stream.ts";
import { callTool, fakeModel, type ModelStep, say } from "../support/fake-model.ts";
import { ask, clientAt, itemsOf, request } from "./ask.ts";

const key: Credential = { kind: "api-key", token: "sk-secret-token", source: "" };
const broken = "stream disconnected before completion: Transport error: error decoding response body";
const earlyClose = "stream disconnected before completion: stream closed before response.completed";
const idle = "stream disconnected before completion: idle timeout waiting for SSE";

const wires = ["responses", "chat"] as const;
const retried = (wireApi: (typeof wires)[number], requestMaxRetries: number) => ({
  provider: { wireApi, requestMaxRetries },
});

test("a credential that is missing ends the attempt before any request", async () => {
  await using model = await fakeModel([]);
  const credential = () => {
    throw new UserError("Missing environment variable: `ZZ_KEY`.");
  };
  expect(await ask(clientAt(model.url, { credential }))).toMatchObject({
    events: [],
    error: { name: "ModelError", message: "Missing environment variable: `ZZ_KEY`.", isRetryable: false },
  });
  expect(model.requests).toEqual([]);
});

test.each(wires)("a connection that breaks after any event is a broken stream (%s)", async (wireApi) => {
  const step = callTool("shell", { command: ["ls"] }, { reasoning: "hm", text: "hi" });
  // The last event on the chat wire is [DONE], before it the finish reason: from there on the answer is whole.
  const events = wireApi === "responses" ? 12 : 4;
  for (let cut = 1; cut < events; cut++) {
    await using model = await fakeModel([{ ...step, cut }]);
    expect((await ask(clientAt(model.url, retried(wireApi, 3)))).error).toMatchObject({
      message: broken,
      isRetryable: true,
    });
    expect(model.requests).toHaveLength(1);
  }
});

test("an orderly end before response.completed; what was whole counts", async () => {
  const item = { type: "message", role: "assistant", content: [{ type: "output_text", text: "part" }] };
  const raw = [`data: ${JSON.stringify({ type: "response.output_item.done", item })}\n\n`];
  await using model = await fakeModel([{ raw }]);
  const answer = await ask(clientAt(model.url));
  expect(itemsOf(answer)).toEqual([item]);
  expect(answer.error).toMatchObject({ message: earlyClose, isRetryable: true });
});

test.each([
  [
    "a limit with the time to wait",
    { code: "rate_limit_exceeded", message: "Slow down, try again in 1.5s." },
    "Slow down, try again in 1.5s.",
    1500,
  ],
  [
    "another error with a time",
    { code: "server_error", message: "Oops, try again in 1.5s." },
    "Oops, try again in 1.5s.",
    undefined,
  ],
  [
    "a wait of a day",
    { code: "rate_limit_exceeded", message: "Please try again in 86400s." },
    "Please try again in 86400s.",
    86_400_000,
  ],
  ["no error at all", {}, "response.failed event received", undefined],
])("%s: response.failed", async (_name, failed, text, retryAfterMs) => {
  await using model = await fakeModel([{ failed, keepOpen: true }]);
  const { error } = await ask(clientAt(model.url));
  expect(error).toMatchObject({
    message: `stream disconnected before completion: ${text}`,
    isRetryable: retryAfterMs !== 86_400_000,
    retryAfterMs,
  });
});

test.each([
  { type: "error", code: "server_error", message: "boom" },
  { type: "error", error: { message: "boom" } },
  { error: { message: "boom" } },
])("an error event of another shape: %j", async (event) => {
  await using model = await fakeModel([{ raw: [`data: ${JSON.stringify(event)}\n\n`] }]);
  const { error } = await ask(clientAt(model.url));
  expect(error).toMatchObject({ message: "stream disconnected before completion: boom" });
});

test.each([
  ["after the headers", { hang: true }],
  ["instead of headers", { hang: "headers" }],
  ["in the middle", { raw: ['data: {"type":"response.created"}\n\n'], keepOpen: true }],
] satisfies [string, ModelStep][])("silence %s ends the attempt", async (_name, step) => {
  await using model = await fakeModel([step]);
  const provider = { streamIdleTimeoutMs: 60, requestMaxRetries: 3 };
  expect((await ask(clientAt(model.url, { provider }))).error).toMatchObject({ message: idle, isRetryable: true });
  expect(model.requests).toHaveLength(1);
});

test("comments are silence, events are not", async () => {
  const event = 'data: {"type":"response.in_progress"}\n\n';
  const provider = { streamIdleTimeoutMs: 150 };
  await using comments = await fakeModel([{ raw: Array(50).fill(": ping\n\n"), gapMs: 20 }]);
  expect((await ask(clientAt(comments.url, { provider }))).error).toMatchObject({ message: idle });
  await using events = await fakeModel([{ raw: Array(15).fill(event), gapMs: 20 }]);
  expect((await ask(clientAt(events.url, { provider }))).error).toMatchObject({ message: earlyClose });
});

test("any other status is told with its body and not repeated here", async () => {
  await using model = await fakeModel([{ status: 400, body: { error: { message: "bad" } } }]);
  expect((await ask(clientAt(model.url, retried("responses", 3)))).error).toMatchObject({
    message: 'unexpected status 400 Bad Request: {"error":{"message":"bad"}}',
    isRetryable: true,
  });
});

test("a 429 is repeated after the time the server names", async () => {
  await using told = await fakeModel([{ status: 429, headers: { "retry-after": "3" } }, say("hi")]);
  await using other = await fakeModel([{ status: 500 }, { status: 500 }, say("hi")]); // repeated twice within a second
  const order: string[] = [];
  const asked = async (name: string, { url }: { readonly url: string }) => {
    expect((await ask(clientAt(url, retried("responses", 2)))).error).toBeUndefined();
    order.push(name);
  };
  await Promise.all([asked("after the time it names", told), asked("of the other server", other)]);
  expect(order).toEqual(["of the other server", "after the time it names"]);
});

test("a server that asks for hours has refused", async () => {
  await using model = await fakeModel([{ status: 429, headers: { "retry-after": "7200" } }]);
  expect((await ask(clientAt(model.url, retried("responses", 2)))).error).toMatchObject({
    message: "exceeded retry limit, last status: 429 Too Many Requests (try again in 2 hours)",
    isRetryable: false,
  });
});

test("a 429 that is not repeated here says when to come back", async () => {
  await using model = await fakeModel([{ status: 429, headers: { "retry-after": "3" } }]);
  expect((await ask(clientAt(model.url))).error).toMatchObject({ isRetryable: true, retryAfterMs: 3000 });
});

test.each([
  ["responses", 500, "We're currently experiencing high demand, which may cause temporary errors."],
  ["responses", 503, "exceeded retry limit, last status: 503 Service Unavailable"],
  ["chat", 500, "exceeded retry limit, last status: 500 Internal Server Error"],
  ["responses", 401, "exceeded retry limit, last status: 401 Unauthorized"],
] as const)("%s wire, always %i", async (wireApi, status, message) => {
  await using model = await fakeModel([{ status }, { status }]);
  expect((await ask(clientAt(model.url, retried(wireApi, 1)))).error).toMatchObject({ message, isRetryable: true });
  expect(model.requests).toHaveLength(2);
});

test("a 401 on the chat wire is an unexpected status", async () => {
  await using model = await fakeModel([{ status: 401, body: "no" }]);
  expect((await ask(clientAt(model.url, retried("chat", 3)))).error).toMatchObject({
    message: "unexpected status 401 Unauthorized: no",
  });
});

test("a used-up plan is told and nothing is repeated", async () => {
  const body = { error: { type: "usage_limit_reached", resets_in_seconds: 11_520 } };
  await using model = await fakeModel([{ status: 429, body, headers: { "retry-after": "1" } }]);
  const credential: Credential = { kind: "chatgpt", token: "t", source: "", accountId: undefined, plan: "plus" };
  const client = clientAt(model.url, { ...retried("responses", 3), credential: () => credential });
  expect((await ask(client)).error).toMatchObject({
    message:
      "You've hit your usage limit. Upgrade to Pro (https://openai.com/chatgpt/pricing) or try again in 3 hours 12 minutes.",
    isRetryable: false,
  });
});

test.each([
  ["a web page is told by its title", "<!DOCTYPE html><html><head><title>Sign in</title>", "(a web page) Sign in"],
  ["a long text is cut", "x".repeat(5000), `${"x".repeat(2000)}… (5000 characters)`],
  ["a credential that comes back is hidden", "bad key sk-secret-token", "bad key ***"],
  ["nothing is nothing", "", ""],
])("bodies of errors: %s", async (_name, body, shown) => {
  await using model = await fakeModel([{ status: 403, body }]);
  expect((await ask(clientAt(model.url, { credential: () => key }))).error).toMatchObject({
    message: `unexpected status 403 Forbidden: ${shown}`,
  });
});

test("a body that breaks off or never ends is told as far as it came", async () => {
  const server = http.createServer((_incoming, response) => {
    response.writeHead(400, { "content-length": "100" });
    response.write("half", () => response.destroy());
  });
  const url = await listen(server);
  expect((await ask(clientAt(url))).error).toMatchObject({ message: "unexpected status 400 Bad Request: half" });
  server.close();
});

test("nobody listens: the text names the address, without what may be secret in it", async () => {
  const server = createServer();
  const { port } = new URL(await listen(server));
  server.close();
  const client = clientAt(`http://me:pw@127.0.0.1:${port}/v1?sig=x`, { provider: { requestMaxRetries: 1 } });
  expect((await ask(client)).error).toMatchObject({
    message: `error sending request for url (http://127.0.0.1:${port}/v1/responses)`,
    isRetryable: true,
    cause: { message: "connection refused" },
  });
});

test("a name that nobody has is told in words", async () => {
  expect((await ask(clientAt("http://model.invalid/v1"))).error).toMatchObject({
    message: "error sending request for url (http://model.invalid/v1/responses)",
    cause: { message: "host not found" },
  });
});

test.each([
  ["reset", (socket: Socket) => socket.resetAndDestroy(), "connection reset"],
  ["closed", (socket: Socket) => socket.end(), "the connection was closed without an answer"],
  ["another protocol", (socket: Socket) => socket.end("SSH-2.0-OpenSSH\r\n"), "the answer is not HTTP/1.1"],
])("no answer: %s", async (_name, answer, words) => {
  const server = createServer((socket) => socket.on("error", () => {}).once("data", () => answer(socket)));
  const { error } = await ask(clientAt(await listen(server)));
  expect(error).toMatchObject({
    message: expect.stringMatching(/^error sending request for url \(\S+\)$/),
    cause: { message: words },
  });
  expect((error as Error).cause).toBeInstanceOf(Error);
  server.close();
});

test.each(wires)("an answer that is no event stream: the cause names its type (%s)", async (wireApi) => {
  const client = async (step: ModelStep) => {
    await using model = await fakeModel([step]);
    return (await ask(clientAt(model.url, retried(wireApi, 3)))).error;
  };
  const page = "<!doctype html>\n\n<title>Sign in</title>";
  const html = { "content-type": "text/html; charset=utf-8" };
  const text = /^stream disconnected before completion: stream closed before /;
  expect(await client({ status: 200, body: page, headers: html })).toMatchObject({
    message: expect.stringMatching(text),
    cause: { message: "the server answered with text/html; check base_url" },
  });
  expect(await client({ status: 200, body: { detail: "no" } })).toMatchObject({
    cause: { message: "the server answered with application/json; check base_url" },
  });
  expect(await client({ raw: ["hello\n\n"] })).toMatchObject({
    cause: { message: "the answer is no event stream; check base_url" },
  });
  expect(await client({ raw: ['data: {"type":"response.created"}\n\n'] })).toMatchObject({ cause: undefined });
});

test("a head without end is no reason to try again", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.write(`HTTP/1.1 200 OK\r\n${`x: ${"x".repeat(1000)}\r\n`.repeat(1100)}`));
  });
  expect((await ask(clientAt(await listen(server), retried("responses", 3)))).error).toMatchObject({
    message: "the head of the answer is longer than 1 MiB",
    isRetryable: false,
  });
  server.close();
});

test.each(wires)("an event without end is no reason to try again (%s)", async (wireApi) => {
  const raw = [`data: ${"x".repeat(65 * 2 ** 20)}`];
  await using model = await fakeModel([{ raw }]);
  expect((await ask(clientAt(model.url, retried(wireApi, 3)))).error).toMatchObject({
    message: "stream disconnected before completion: one event of the answer is longer than 64 MiB",
    isRetryable: false,
  });
});

test("an answer that keeps nothing ends all the same, after 1 GiB", async () => {
  const comment = Buffer.from(`: ${"x".repeat(2 ** 20)}\n\n`);
  const body = Readable.from(Array<Buffer>(1_025).fill(comment));
  const decoder = { read: () => false, end: () => {}, isWhole: false };
  const { signal } = new AbortController();
  await expect(readStream(body, decoder, { idleMs: 900_000, signal })).rejects.toMatchObject({
    message: "stream disconnected before completion: the answer is longer than 1 GiB",
    isRetryable: false,
  });
});

test("a header that cannot be sent is no reason to try again", async () => {
  const credential = () => ({ ...key, token: "line\nbreak" });
  const { error } = await ask(clientAt("http://127.0.0.1:1/v1", { credential }));
  expect(error).toMatchObject({
    isRetryable: false,
    message: 'Cannot send header "authorization": it holds a forbidden character',
  });
  expect(String(error)).not.toContain("break");
});

test.each([
  ["before headers", { hang: "headers" }],
  ["in the stream", { hang: true }],
  ["in a wait between attempts", { status: 429, headers: { "retry-after": "60" } }],
] satisfies [string, ModelStep][])("an abort ends everything at once with its reason: %s", async (_name, step) => {
  await using model = await fakeModel([step]);
  const controller = new AbortController();
  const answer = ask(clientAt(model.url, retried("responses", 3)), {}, controller.signal);
  await model.received(1);
  const reason = new Error("interrupted");
  controller.abort(reason);
  expect((await answer).error).toBe(reason);
});

test("an abort also ends a stream whose events were not read yet", async () => {
  await using model = await fakeModel([say("x", { deltas: Array(100).fill("x") })]);
  const controller = new AbortController();
  const stream = clientAt(model.url).stream(request, controller.signal)[Symbol.asyncIterator]();
  await stream.next();
  controller.abort(new Error("interrupted"));
  await expect(stream.next()).rejects.toThrow("interrupted");
});

test("a signal that is aborted already sends nothing", async () => {
  await using model = await fakeModel([]);
  const { error } = await ask(clientAt(model.url), {}, AbortSignal.abort(new Error("late")));
  expect(error).toEqual(new Error("late"));
  expect(model.requests).toEqual([]);
});

test("a reader that leaves closes the connection", async () => {
  const server = http.createServer((_incoming, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('data: {"type":"response.output_text.delta","delta":"x"}\n\n');
    response.once("close", () => server.emit("left"));
  });
  const left = once(server, "left");
  const client = clientAt(await listen(server));
  for await (const events of client.stream(request, new AbortController().signal)) {
    expect(events).toEqual([{ type: "text_delta", delta: "x" }]);
    break;
  }
  await left;
  server.close();
});

test("connections are used again, and one that the server has closed costs nothing", async () => {
  const ports = new Set<number | undefined>();
  const completed = 'data: {"type":"response.completed","response":{"id":"r"}}\n\n';
  const server = http.createServer((incoming, response) => {
    ports.add(incoming.socket.remotePort);
    incoming.resume();
    incoming.once("end", () => response.end(completed));
  });
  server.keepAliveTimeout = 60_000;
  const client = clientAt(await listen(server));
  await ask(client);
  await ask(client);
  expect(ports.size).toBe(1);
  server.closeAllConnections(); // the client has not heard of it when it asks again
  expect((await ask(client)).error).toBeUndefined();
  expect(ports.size).toBe(2);
  server.closeAllConnections();
  server.close();
});

test.each([307, 308])("a redirect %i within one origin is followed", async (status) => {
  await using model = await fakeModel([{ status, headers: { location: "/v2/responses" } }, say("hi")]);
  expect((await ask(clientAt(model.url, { credential: () => key }))).error).toBeUndefined();
  expect(model.requests.map(({ path, headers, body }) => [path, headers.authorization, typeof body])).toEqual([
    ["/v1/responses", "Bearer sk-secret-token", "object"],
    ["/v2/responses", "Bearer sk-secret-token", "object"],
  ]);
});

test.each([301, 302, 303, 307, 308])(
  "a redirect %i to another origin is refused: nothing of ours goes there",
  async (status) => {
    await using other = await fakeModel([]);
    const location = `${other.url}/responses?token=x`;
    await using model = await fakeModel([{ status, headers: { location } }]);
    const { error } = await ask(clientAt(model.url, { ...retried("responses", 3), credential: () => key }));
    expect(error).toMatchObject({
      message: expect.stringMatching(/^unexpected status 30\d .*: redirect to http:\/\/[^?]*\/responses not followed$/),
    });
    expect(other.requests).toEqual([]);
  },
);

test("redirects in a circle end", async () => {
  const step = { status: 307, headers: { location: "/v1/responses" } };
  await using model = await fakeModel([step], { repeatLast: true });
  expect((await ask(clientAt(model.url))).error).toMatchObject({
    message: expect.stringContaining("unexpected status 307 Temporary Redirect"),
  });
  expect(model.requests).toHaveLength(6);
});

async function listen(server: { listen(port: number, host: string): unknown; address(): unknown }): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server as http.Server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}
