/** Unlike any other in the history; node:crypto, which would take care of that, takes milliseconds to load. */
export function newCallId(): string {
  return `call_${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`;
}
