interface Asked {
  readonly requests: readonly { readonly body: unknown }[];
}

/** An input item of a request on the Responses wire, as far as tests look at it. */
export interface RequestItem {
  readonly type: string;
  readonly role?: string;
  readonly content?: readonly { readonly type: string; readonly text: string }[];
  readonly output?: string;
  readonly call_id?: string;
}

/** The input of the n-th request, from 1. */
export function inputOf(model: Asked, request: number): readonly RequestItem[] {
  const body = model.requests[request - 1]?.body;
  if (body === undefined) throw new Error(`There were only ${model.requests.length} requests.`);
  return (body as { readonly input: readonly RequestItem[] }).input; // the fake model checked it
}

/** The last text of the first request: the prompt. */
export function promptOf(model: Asked): string | undefined {
  return inputOf(model, 1).at(-1)?.content?.at(-1)?.text;
}

/** The messages of the n-th request on the chat wire, from 1. */
export function messagesOf(model: Asked, request: number): readonly object[] {
  const body = model.requests[request - 1]?.body;
  if (body === undefined) throw new Error(`There were only ${model.requests.length} requests.`);
  return (body as { readonly messages: readonly object[] }).messages; // the fake model checked it
}
