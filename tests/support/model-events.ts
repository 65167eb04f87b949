import type { ModelCall, ModelStep } from "./fake-model.ts";

/** The server-sent events of a step on the Responses wire; `turn` counts requests from 1 and makes ids unique. */
export function responsesEvents(step: ModelStep, turn: number): string[] {
  const events: object[] = [{ type: "response.created", response: { id: `resp_${turn}` } }];
  let output_index = 0;
  const finish = (item: object) => {
    events.push({ type: "response.output_item.done", output_index, item });
    output_index++;
  };

  const summary = step.reasoning === undefined ? [] : [step.reasoning].flat();
  if (summary.length > 0 || step.rawReasoning !== undefined) {
    const at = { item_id: `rs_${turn}`, output_index };
    events.push({ type: "response.output_item.added", output_index, item: { type: "reasoning", id: at.item_id } });
    summary.forEach((text, summary_index) => {
      events.push({ type: "response.reasoning_summary_part.added", ...at, summary_index });
      events.push({ type: "response.reasoning_summary_text.delta", ...at, summary_index, delta: text });
      events.push({ type: "response.reasoning_summary_text.done", ...at, summary_index, text });
    });
    if (step.rawReasoning !== undefined) {
      events.push({ type: "response.reasoning_text.delta", ...at, content_index: 0, delta: step.rawReasoning });
    }
    finish({
      type: "reasoning",
      id: at.item_id,
      summary: summary.map((text) => ({ type: "summary_text", text })),
      ...(step.rawReasoning === undefined ? {} : { content: [{ type: "reasoning_text", text: step.rawReasoning }] }),
      encrypted_content: step.encrypted ?? null,
    });
  }

  for (const item of step.items ?? []) finish(item);

  step.calls?.forEach((call, index) => {
    const call_id = callId(call, turn, index);
    if (call.custom !== undefined) {
      const item = { type: "custom_tool_call", id: `ctc_${turn}_${index}`, call_id, name: call.name };
      events.push({ type: "response.output_item.added", output_index, item: { ...item, input: "" } });
      finish({ ...item, input: call.custom });
      return;
    }
    const item = { type: "function_call", id: `fc_${turn}_${index}`, call_id, name: call.name };
    const at = { item_id: item.id, output_index };
    events.push({ type: "response.output_item.added", output_index, item: { ...item, arguments: "" } });
    events.push({ type: "response.function_call_arguments.delta", ...at, delta: argumentsOf(call) });
    events.push({ type: "response.function_call_arguments.done", ...at, arguments: argumentsOf(call) });
    finish({ ...item, arguments: argumentsOf(call) });
  });

  if (step.text !== undefined) {
    const message = { type: "message", id: `msg_${turn}`, role: "assistant" };
    const at = { item_id: message.id, output_index, content_index: 0 };
    events.push({ type: "response.output_item.added", output_index, item: { ...message, content: [] } });
    for (const delta of step.deltas ?? [step.text]) events.push({ type: "response.output_text.delta", ...at, delta });
    finish({ ...message, content: [{ type: "output_text", text: step.text, annotations: [] }] });
  }

  events.push(lastEvent(step, `resp_${turn}`));
  return events.map((event) => `event: ${"type" in event ? event.type : ""}\ndata: ${JSON.stringify(event)}\n\n`);
}

function lastEvent(step: ModelStep, id: string): object {
  if (step.failed) return { type: "response.failed", response: { id, status: "failed", error: step.failed } };
  if (step.incomplete !== undefined) {
    const incomplete_details = { reason: step.incomplete };
    return { type: "response.incomplete", response: { id, status: "incomplete", incomplete_details } };
  }
  const usage = step.usage === undefined ? { input: 100, cached: 10, output: 20, reasoning: 5 } : step.usage;
  if (usage === null) return { type: "response.completed", response: { id, usage: null } };
  return {
    type: "response.completed",
    response: {
      id,
      usage: {
        input_tokens: usage.input,
        input_tokens_details: { cached_tokens: usage.cached ?? 0 },
        output_tokens: usage.output,
        output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
        total_tokens: usage.input + usage.output,
      },
    },
  };
}

/** The same on the chat wire. `failed` becomes an error object, `incomplete` the finish reason. */
export function chatEvents(step: ModelStep, turn: number): string[] {
  const events: string[] = [];
  const send = (part: object) => {
    const chunk = { id: `chatcmpl-${turn}`, object: "chat.completion.chunk", created: 1, model: "fake-model", ...part };
    events.push(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  const choice = (delta: object, finish_reason: string | null = null) =>
    send({ choices: [{ index: 0, delta, finish_reason }] });

  for (const reasoning of step.reasoning === undefined ? [] : [step.reasoning].flat()) {
    choice({ role: "assistant", reasoning });
  }
  if (step.text !== undefined) {
    for (const content of step.deltas ?? [step.text]) choice({ role: "assistant", content });
  }
  step.calls?.forEach((call, index) => {
    const args = argumentsOf(call);
    const middle = Math.ceil(args.length / 2); // in two pieces: a client must join them
    const start = { name: call.name, arguments: args.slice(0, middle) };
    choice({ tool_calls: [{ index, id: callId(call, turn, index), type: "function", function: start }] });
    choice({ tool_calls: [{ index, function: { arguments: args.slice(middle) } }] });
  });
  if (step.failed) {
    events.push(`data: ${JSON.stringify({ error: step.failed })}\n\n`);
  } else {
    choice({}, step.incomplete ?? (step.calls?.length ? "tool_calls" : "stop"));
    if (step.usage) {
      const { input, cached, output, reasoning } = step.usage;
      const usage = {
        prompt_tokens: input,
        prompt_tokens_details: { cached_tokens: cached ?? 0 },
        completion_tokens: output,
        completion_tokens_details: { reasoning_tokens: reasoning ?? 0 },
        total_tokens: input + output,
      };
      send({ choices: [], usage });
    }
  }
  events.push("data: [DONE]\n\n");
  return events;
}

function callId(call: ModelCall, turn: number, index: number): string {
  return call.callId ?? (index === 0 ? `call_${turn}` : `call_${turn}_${index}`);
}

function argumentsOf(call: ModelCall): string {
  return call.rawArgs ?? JSON.stringify(call.args ?? {});
}
