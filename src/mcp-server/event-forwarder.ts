import type { McpSettings } from "../config/mcp-settings.ts";
import type { KeptEvent } from "./kept-event.ts";
import type { IdToken } from "./message.ts";
import type { Outgoing } from "./outgoing.ts";

interface Route {
  readonly requestId: IdToken | undefined;
  readonly conversationId: string;
}

/** Tells events as `codex/event`, and where the settings ask for it once more under the name of their type. */
export class EventForwarder {
  readonly #outgoing: Outgoing;
  readonly #kind: McpSettings["events"];
  readonly #meta: string;

  constructor(
    { outgoing, settings }: { readonly outgoing: Outgoing; readonly settings: Pick<McpSettings, "events"> },
    { requestId, conversationId }: Route,
  ) {
    this.#outgoing = outgoing;
    this.#kind = settings.events;
    const request = requestId === undefined ? "" : `"requestId":${requestId},`;
    this.#meta = `{"_meta":{${request}"conversationId":${JSON.stringify(conversationId)}},"id":`;
  }

  tell(event: KeptEvent): void {
    if (this.#kind === "none") return;
    const params = `${this.#meta}${JSON.stringify(event.id)},"msg":${event.json}}`;
    this.#outgoing.notifyJson("codex/event", params);
    if (this.#kind === "both") this.#outgoing.notifyJson(event.msg.type, params);
  }
}
