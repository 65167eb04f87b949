import type { Event, EventMsg } from "../../src/protocol/event.ts";

export type EventOf<Type extends EventMsg["type"]> = Event & {
  readonly msg: Extract<EventMsg, { readonly type: Type }>;
};

export function isOf<Type extends EventMsg["type"]>(type: Type) {
  return (event: Event): event is EventOf<Type> => event.msg.type === type;
}
