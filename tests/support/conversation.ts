import { loadConfig } from "../../src/config/load-config.ts";
import { type InitOptions, initCodex } from "../../src/conversation/init-codex.ts";
import type { Event, EventMsg } from "../../src/protocol/event.ts";
import type { Op } from "../../src/protocol/submission.ts";
import { Arrivals } from "./arrivals.ts";
import { type EventOf, isOf } from "./event-of.ts";
import { configToml, type RunOptions } from "./run-codex.ts";
import { type Workspace, workspace } from "./workspace.ts";

/** A conversation of this process, in a workspace of its own; every event it ever had is kept. */
export interface TestConversation extends AsyncDisposable {
  readonly place: Workspace;
  readonly events: readonly Event[];
  submit(op: Op, id?: string): string;
  input(text: string, id?: string): string;
  /** The next event of this type that no earlier wait has returned. */
  next<Type extends EventMsg["type"]>(type: Type): Promise<EventOf<Type>>;
  /** Resolves when the events have ended. */
  ended(): Promise<void>;
}

export async function startConversation(
  options: RunOptions & { readonly init?: Partial<InitOptions> } = {},
): Promise<TestConversation> {
  const place = workspace({ ...options, homeFiles: { "config.toml": configToml(options), ...options.homeFiles } });
  options.setup?.(place);
  const config = loadConfig({ flags: {}, env: { ...place.env, ...options.env }, processCwd: place.work });
  const { conversation } = await initCodex(config, { version: "0.0.0", ...options.init });
  const events = new Arrivals<Event>();
  const stream = conversation.events();
  const reading = (async () => {
    for await (const event of stream) events.add(event);
    events.end();
  })();

  return {
    place,
    events: events.all,
    submit: (op, id) => conversation.submit(op, id),
    input: (text, id) => conversation.submit({ type: "user_input", items: [{ type: "text", text }] }, id),
    next: (type) => events.next(isOf(type), () => `The conversation ended without ${type}.`),
    ended: () => reading,
    [Symbol.asyncDispose]: async () => {
      await conversation.close();
      place[Symbol.dispose]();
    },
  };
}
