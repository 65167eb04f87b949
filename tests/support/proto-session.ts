import type { Event, EventMsg } from "../../src/protocol/event.ts";
import type { Op } from "../../src/protocol/submission.ts";
import { type EventOf, isOf } from "./event-of.ts";
import { type LineSession, startLineSession } from "./line-session.ts";
import { schemaProblem } from "./proto-schema.ts";
import type { RunOptions } from "./run-codex.ts";

/** A `codex proto` process; every line of its stdout is held against the package's schema. */
export interface ProtoSession extends LineSession {
  readonly events: readonly Event[];
  send(op: Op, id?: string): void;
  input(text: string, id?: string): void;
  /** The next event of this type that no earlier wait has returned. */
  next<Type extends EventMsg["type"]>(type: Type): Promise<EventOf<Type>>;
}

export interface ProtoOptions extends RunOptions {
  /** Behind `proto`. */
  readonly args?: readonly string[];
}

/** Settings under which nothing is asked and nothing is sandboxed. */
export const fullAccess = ["-s", "danger-full-access", "-a", "never"];

export function startProto({ args = [], ...options }: ProtoOptions = {}): ProtoSession {
  const { session, messages } = startLineSession<Event>({
    args: ["proto", ...args],
    problemOf: (event) => schemaProblem("Event", event),
    ...options,
  });
  let nextId = 0;
  const send = (op: Op, id?: string) => {
    nextId += 1;
    session.write(`${JSON.stringify({ id: id ?? `s${nextId}`, op })}\n`);
  };
  return {
    ...session,
    events: messages.all,
    send,
    input: (text, id) => send({ type: "user_input", items: [{ type: "text", text }] }, id),
    next: (type) => messages.next(isOf(type), () => `The session ended without ${type}.`),
  };
}

/** The types of the events, in order. */
export function typesOf(events: readonly Event[]): readonly string[] {
  return events.map(({ msg }) => msg.type);
}
