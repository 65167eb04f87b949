import { expect, test } from "vitest";
import { fakeModel, say } from "../support/fake-model.ts";
import { fullAccess, startMcp, textOf } from "../support/mcp-session.ts";

const count = 200;
const marks = Array.from({ length: count }, (_, at) => `mark-${at}.`);

test("two hundred conversations at once each have their own answers, events and past", async () => {
  // Says again all that its request contains of any conversation.
  const echo = ({ body }: { readonly body: unknown }) =>
    say((JSON.stringify(body).match(/"(mark|again)-\d+\./g) ?? []).map((found) => found.slice(1)).join(" "));
  await using model = await fakeModel([echo], { repeatLast: true, forgetful: true });
  await using mcp = startMcp({ model, config: fullAccess });
  const answers = (from: number) => mcp.messages.filter(({ id, result }) => result !== undefined && Number(id) >= from);
  const answered = async (from: number) => {
    await expect.poll(() => answers(from).length).toBe(count);
    return answers(from).sort((one, other) => Number(one.id) - Number(other.id));
  };
  const call = (id: number, name: string, args: object) =>
    mcp.send({ id, method: "tools/call", params: { name, arguments: args } });

  for (const [at, prompt] of marks.entries()) call(at, "codex", { prompt });
  const first = await answered(0);
  expect(first.map(textOf)).toEqual(marks);
  const ids: readonly string[] = first.map(({ result }) => result.structuredContent.conversationId);
  expect(new Set(ids).size).toBe(count);

  for (const [at, conversationId] of ids.entries()) {
    call(count + at, "codex-reply", { conversationId, prompt: `again-${at}.` });
  }
  const second = await answered(count);
  const said = marks.map((mark, at) => `${mark} ${mark} again-${at}.`);
  expect(second.map(textOf)).toEqual(said);

  const told = new Map<string, string[]>();
  for (const { params } of mcp.messages.filter(({ method }) => method === "codex/event")) {
    const { requestId, conversationId } = params._meta;
    expect(conversationId).toBe(ids[requestId % count]);
    if (params.msg.type === "session_configured") expect(params.msg.session_id).toBe(conversationId);
    const { type, message } = params.msg;
    if (type === "agent_message") told.set(conversationId, [...(told.get(conversationId) ?? []), message]);
  }
  expect(ids.map((id) => told.get(id))).toEqual(marks.map((mark, at) => [mark, said[at]]));
});
