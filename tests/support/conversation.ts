import { loadConfig } from "../../src/config/load-config.ts";
import { type InitOptions, initCodex } from "../../src/conversation/init-codex.ts";
import type { Event, EventMsg } from "../../src/protocol/event.ts";
import type { Op } from "../../src/protocol/submission.ts";
import { configToml, type RunOptions } from "./run-codex.ts";
import { type Workspace, workspace } from "./workspace.ts";

type EventOf<Type extends EventMsg["type"]> = Event & { readonly msg: Extract<EventMsg, { readonly type: Type }> };

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
  const events: Event[] = [];
  const taken = new Set<Event>();
  const watchers = new Set<() => void>();
  const wake = () => {
    for (const watch of [...watchers]) watch();
  };
  let hasEnded = false;
  const stream = conversation.events();
  const reading = (async () => {
    for await (const event of stream) {
      events.push(event);
      wake();
    }
    hasEnded = true;
    wake();
  })();

  return {
    place,
    events,
    submit: (op, id) => conversation.submit(op, id),
    input: (text, id) => conversation.submit({ type: "user_input", items: [{ type: "text", text }] }, id),
    next: (type) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const event = events.find((candidate) => candidate.msg.type === type && !taken.has(candidate));
          if (event === undefined && !hasEnded) return;
          watchers.delete(look);
          if (event === undefined) return reject(new Error(`The conversation ended without ${type}.`));
          taken.add(event);
          resolve(event as EventOf<typeof type>); // its type was compared
        };
        watchers.add(look);
        look();
      }),
    ended: () => reading,
    [Symbol.asyncDispose]: async () => {
      await conversation.close();
      place[Symbol.dispose]();
    },
  };
}
