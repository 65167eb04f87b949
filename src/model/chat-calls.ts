import { isRecord, parseDeepJson } from "../lib/parse-json.ts";
import type { FunctionCallItem } from "../protocol/response-item.ts";
import { newCallId } from "./call-id.ts";

interface OpenCall {
  readonly index: number | undefined;
  id: string;
  name: string;
  args: string;
}

/**
 * Puts tool calls together that arrive in pieces. A piece belongs to the call with its index, else to the one with its id,
 * else to the one last begun; servers leave out either, or number every call 0.
 */
export class ChatCalls {
  readonly #calls: OpenCall[] = [];

  get isEmpty(): boolean {
    return this.#calls.length === 0;
  }

  /** Takes one element of `tool_calls`, or a legacy `function_call` wrapped to look like one. Returns how much it keeps of it. */
  add(piece: unknown): number {
    if (!isRecord(piece)) return 0;
    const index = typeof piece["index"] === "number" ? piece["index"] : undefined;
    const id = textOf(piece["id"]);
    const details = isRecord(piece["function"]) ? piece["function"] : {};
    const name = textOf(details["name"]);
    const call = this.#find(index, { id, name }) ?? this.#begin(index);
    call.id ||= id;
    call.name ||= name;
    const given = details["arguments"];
    const args = isRecord(given) ? JSON.stringify(given) : textOf(given); // some servers do not encode them
    call.args += args;
    return sizeOfCall + id.length + name.length + args.length;
  }

  /** The calls in their order. Those without a name cannot be answered and are left out. */
  items(): FunctionCallItem[] {
    const used = new Set<string>();
    return this.#calls.flatMap(({ id, name, args }) => {
      if (name === "") return [];
      const call_id = id === "" || used.has(id) ? newCallId() : id;
      used.add(call_id);
      return [{ type: "function_call", name, arguments: args.trim() === "" ? "{}" : args, call_id }];
    });
  }

  #find(index: number | undefined, { id, name }: { id: string; name: string }): OpenCall | undefined {
    if (index !== undefined) {
      const call = this.#calls.findLast((candidate) => candidate.index === index);
      const isAnother = call !== undefined && name !== "" && id !== "" && call.id !== "" && call.id !== id;
      return isAnother ? undefined : call;
    }
    const named = id === "" ? undefined : this.#calls.find((candidate) => candidate.id === id);
    return named ?? (name === "" ? this.#calls.at(-1) : undefined);
  }

  #begin(index: number | undefined): OpenCall {
    const call = { index, id: "", name: "", args: "" };
    this.#calls.push(call);
    return call;
  }
}

/** About what a call without any text takes. */
const sizeOfCall = 16;

/** Broken arguments mean that the answer was cut off. */
export function hasWholeArguments(call: FunctionCallItem): boolean {
  return parseDeepJson(call.arguments).ok; // of any depth: those are for the tool to refuse
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
