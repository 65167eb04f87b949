import { isRecord } from "../../src/lib/parse-json.ts";

/** What a real provider would refuse about a request body, in one sentence; undefined when it would accept it. */
export function problemOf(wire: "responses" | "chat", body: unknown): string | undefined {
  if (!isRecord(body)) return "the body is not a JSON object";
  if (typeof body["model"] !== "string" || body["model"] === "") return "no model is named";
  if (body["stream"] !== true) return "the answer is not asked for as a stream";
  const tools = problemOfTools(body["tools"]);
  if (tools !== undefined) return tools;
  return wire === "responses" ? problemOfInput(body["input"]) : problemOfMessages(body["messages"]);
}

function problemOfTools(tools: unknown): string | undefined {
  if (tools === undefined) return undefined;
  if (!Array.isArray(tools)) return "tools is not a list";
  const seen = new Set<string>();
  for (const tool of tools) {
    if (!isRecord(tool)) return "a tool is not an object";
    const inner = isRecord(tool["function"]) ? tool["function"] : tool;
    const name = inner["name"];
    if (name === undefined) continue;
    if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(name))
      return `illegal tool name ${JSON.stringify(name)}`;
    if (seen.has(name)) return `two tools are called ${name}`;
    seen.add(name);
  }
  return undefined;
}

function problemOfInput(input: unknown): string | undefined {
  if (!Array.isArray(input)) return "input is not a list";
  const open = new Map<string, string>();
  const answered = new Set<string>();
  for (const item of input) {
    if (!isRecord(item)) return "an input item is not an object";
    const { type, call_id } = item;
    if ("id" in item) return `item of type ${String(type)} sends back the server's id`;
    const wanted = outputTypes[String(type)];
    if (wanted !== undefined) {
      if (typeof call_id !== "string") return `${String(type)} without a call_id`;
      if (open.has(call_id)) return `call ${call_id} stands twice in the input`;
      open.set(call_id, wanted);
      answered.delete(call_id);
    } else if (type === "function_call_output" || type === "custom_tool_call_output") {
      if (typeof call_id !== "string") return `${type} without a call_id`;
      if (answered.has(call_id)) return `call ${call_id} is answered twice`;
      const expected = open.get(call_id);
      if (expected === undefined) return `an output for ${call_id} without its call before it`;
      if (expected !== type) return `call ${call_id} wants a ${expected}, not a ${type}`;
      open.delete(call_id);
      answered.add(call_id);
    }
  }
  const [unanswered] = open.keys();
  return unanswered === undefined ? undefined : `call ${unanswered} has no output`;
}

const outputTypes: Readonly<Record<string, string>> = {
  function_call: "function_call_output",
  local_shell_call: "function_call_output",
  custom_tool_call: "custom_tool_call_output",
};

function problemOfMessages(messages: unknown): string | undefined {
  if (!Array.isArray(messages)) return "messages is not a list";
  const open = new Set<string>();
  const answered = new Set<string>();
  for (const message of messages) {
    if (!isRecord(message)) return "a message is not an object";
    if (message["role"] === "tool") {
      const id = String(message["tool_call_id"]);
      if (!open.delete(id)) {
        return answered.has(id)
          ? `call ${id} is answered twice`
          : `a tool message for ${id} without its call before it`;
      }
      answered.add(id);
      continue;
    }
    const [unanswered] = open;
    if (unanswered !== undefined) return `call ${unanswered} is not directly followed by its tool message`;
    if (!Array.isArray(message["tool_calls"])) continue;
    answered.clear();
    for (const call of message["tool_calls"]) {
      const id: unknown = isRecord(call) ? call["id"] : undefined;
      if (typeof id !== "string") return "a tool call without an id";
      if (open.has(id)) return `call ${id} stands twice in one message`;
      open.add(id);
    }
  }
  const [unanswered] = open;
  return unanswered === undefined ? undefined : `call ${unanswered} has no tool message`;
}
