import { describe, expect, test } from "vitest";
import type * as wire from "../../schema/proto.d.ts";
import type { EventMsg, SessionConfigured } from "../../src/protocol/event.ts";
import { eventGuide, submissionGuide } from "../../src/protocol/message-guide.ts";
import type { Same } from "../../src/protocol/same-type.ts";
import { decodeSubmission } from "../../src/protocol/submission-schema.ts";
import { schemaProblem } from "../support/proto-schema.ts";

// The declarations of the package say what our own types say.
true satisfies Same<Exclude<wire.EventMsg, wire.SessionConfiguredEvent>, Exclude<EventMsg, SessionConfigured>>;
true satisfies Same<Omit<wire.SessionConfiguredEvent, "initial_messages">, Omit<SessionConfigured, "initial_messages">>;

describe("the examples of the page", () => {
  test.each(Object.entries(submissionGuide))(
    "%s is as the schema has it, and the program takes it",
    (_, { example }) => {
      const submission = { id: "1", op: example };
      expect(schemaProblem("Submission", submission)).toBeUndefined();
      expect(decodeSubmission(JSON.stringify(submission))).toEqual({ ok: true, submission });
    },
  );

  test.each(Object.entries(eventGuide))("%s is as the schema has it", (_, { example }) => {
    expect(schemaProblem("Event", { id: "1", msg: example })).toBeUndefined();
  });
});

test("the schema refuses what is missing, unknown or of another type", () => {
  expect(schemaProblem("Event", { id: "1", msg: { type: "task_started" } })).toBeDefined();
  expect(schemaProblem("Event", { id: "1", msg: { type: "shutdown_complete", more: 1 } })).toBeDefined();
  expect(schemaProblem("Event", { id: 1, msg: { type: "shutdown_complete" } })).toBeDefined();
  expect(schemaProblem("Submission", { id: "1", op: { type: "bogus" } })).toBeDefined();
});
