import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJson } from "../../src/lib/parse-json.ts";
import { submissionGuide } from "../../src/protocol/message-guide.ts";
import { fakeModel, say } from "../support/fake-model.ts";
import { isSubmission } from "../support/proto-schema.ts";
import { startProto } from "../support/proto-session.ts";

/** A line without its newline, which it must not hold. */
type Line = Uint8Array;

const encode = (value: unknown): Line => Buffer.from(JSON.stringify(value));
const { shutdown: _, ...served } = submissionGuide;
const examples = Object.values(served).map(({ example }) => example);

const id = fc.oneof(fc.string(), fc.constantFrom("1", "a", ""));
const valid = fc.record({ id, op: fc.constantFrom(...examples) }).map(encode);
/** The right fields with the wrong values, or some of them. */
const nearlyValid = fc
  .record({
    id: fc.oneof(id, fc.jsonValue()),
    op: fc
      .constantFrom(...examples)
      .chain((example) =>
        fc.record(
          Object.fromEntries(
            Object.entries(example).map(([field, value]) => [
              field,
              fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, fc.jsonValue()),
            ]),
          ),
          { requiredKeys: [] },
        ),
      ),
  })
  .filter(({ op }) => op["type"] !== "shutdown")
  .map(encode);
const truncated = fc.tuple(valid, fc.nat()).map(([line, at]) => line.subarray(0, at % line.length));
const anyJson = fc.jsonValue().map(encode);
const anyBytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => bytes.filter((byte) => byte !== 0x0a));
const wrongBytes = valid.map((line) => Buffer.concat([line.subarray(0, -1), Buffer.from([0xff])]));
const line = fc.oneof(valid, nearlyValid, truncated, anyJson, anyBytes, wrongBytes);
/** In any order, some of them twice. */
const lines = fc
  .array(line, { minLength: 1, maxLength: 40 })
  .chain((all) => fc.array(fc.constantFrom(...all), { minLength: all.length, maxLength: 60 }));

function isServed(bytes: Line): boolean {
  const text = Buffer.from(bytes).toString("utf8");
  if (text.includes("\ufffd") && !Buffer.from(text).equals(bytes)) return false;
  const json = parseJson(text);
  return json.ok && isSubmission(json.value);
}

const isBlank = (bytes: Line) => Buffer.from(bytes).toString("utf8").trim() === "";

test("whatever comes, each line is served or answered with an error, and the session goes on", async () => {
  await using model = await fakeModel([say("ok")], { repeatLast: true, lenient: true, forgetful: true });
  await using proto = startProto({ model, args: ["-a", "never"], env: { RUST_LOG: "off" } });
  let round = 0;
  const refusals = () =>
    proto.events.filter(({ msg }) => msg.type === "error" && msg.message.startsWith("invalid submission: ")).length;
  await fc.assert(
    fc.asyncProperty(lines, async (batch) => {
      round += 1;
      const before = refusals();
      for (const bytes of batch) proto.write(Buffer.concat([bytes, Buffer.from("\n")]));
      const mark = `round ${round}`;
      proto.send({ type: "get_history" }, mark);
      while ((await proto.next("conversation_history")).id !== mark);
      const wrong = batch.filter((bytes) => !isBlank(bytes) && !isServed(bytes));
      expect(refusals() - before).toBe(wrong.length);
    }),
    { numRuns: 60 },
  );
  proto.send({ type: "shutdown" });
  const run = await proto.ended();
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
});

const huge = 10 * 1024 * 1024;

test("lines of 10 MB are served or refused like any other", async () => {
  await using model = await fakeModel([say("ok")]);
  await using proto = startProto({ model, env: { RUST_LOG: "off" } });
  const text = "x".repeat(huge);
  const all = [
    text,
    "[".repeat(huge),
    JSON.stringify({ id: "cut", op: { type: "user_input", items: [{ type: "text", text }] } }).slice(0, -5),
    JSON.stringify({ id: "word", op: { type: text } }),
    JSON.stringify({ id: "padded", padding: text, op: { type: "get_history" } }),
    JSON.stringify({ id: "input", op: { type: "user_input", items: [{ type: "text", text }] } }),
  ];
  for (const one of all) proto.write(`${one}\n`);
  expect((await proto.next("task_complete")).id).toBe("input");
  const errors = proto.events.flatMap(({ id, msg }) =>
    msg.type === "error" ? [[id, msg.message.length < 1_000]] : [],
  );
  expect(errors).toEqual([
    ["", true],
    ["", true],
    ["", true],
    ["word", true],
  ]);
  expect((await proto.next("conversation_history")).id).toBe("padded");
  proto.end();
  expect((await proto.ended()).exitCode).toBe(0);
});
