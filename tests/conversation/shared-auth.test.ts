import { expect, test } from "vitest";
import { need, openIn, signedIn, signIn, storedIn } from "../auth/support.ts";
import { startConversation, type TestConversation } from "../support/conversation.ts";
import { type FakeModel, fakeModel, say } from "../support/fake-model.ts";
import { openIdProvider } from "../support/openid-provider.ts";
import type { RunOptions } from "../support/run-codex.ts";
import { workspace } from "../support/workspace.ts";

const provider = { requires_openai_auth: true };

async function ask(conversation: TestConversation): Promise<void> {
  conversation.input("go");
  await conversation.next("task_complete");
}

const signatures = (model: FakeModel) => model.requests.map(({ headers }) => headers.authorization);

test("twenty conversations wait for one renewal, and all go on with what it brought", async () => {
  await using issuer = await openIdProvider();
  // The first twenty requests are refused together, so that no conversation can profit from another one's wait.
  const count = 20;
  await using model = await fakeModel([
    ...Array.from({ length: count }, () => ({ status: 401, delayMs: 100 })),
    ...Array.from({ length: count }, () => say("ok")),
  ]);
  using place = workspace({ git: false });
  const auth = await signedIn(place, issuer);
  const old = `Bearer ${storedIn(place).tokens?.access_token}`;
  const options: RunOptions & { init: object } = { model, provider, git: false, init: { auth } };
  const conversations = await Promise.all(Array.from({ length: count }, () => startConversation(options)));
  try {
    await Promise.all(conversations.map(ask));
    for (const { events } of conversations) expect(events.map(({ msg }) => msg.type)).not.toContain("stream_error");
  } finally {
    await Promise.all(conversations.map((conversation) => conversation[Symbol.asyncDispose]()));
  }
  expect(issuer.refreshes()).toHaveLength(1);
  const renewed = `Bearer ${storedIn(place).tokens?.access_token}`;
  expect(signatures(model)).toEqual([...Array(count).fill(old), ...Array(count).fill(renewed)]);
});

test("a login, a logout and another login are seen by the conversations that are open", async () => {
  await using issuer = await openIdProvider();
  await using model = await fakeModel([say("ok")], { repeatLast: true });
  using place = workspace({ git: false });
  const auth = openIn(place, issuer.config);
  await using conversation = await startConversation({ model, provider, git: false, init: { auth } });
  const tokens: (string | undefined)[] = [];
  const askWith = async (change: () => Promise<unknown>) => {
    await change();
    tokens.push(auth.current(need)?.token);
    await ask(conversation);
  };
  await askWith(() => signIn(auth));
  await askWith(() => auth.logout());
  await askWith(() => auth.loginWithApiKey("sk-1"));
  issuer.person = "bob";
  await askWith(() => signIn(auth));
  expect(signatures(model)).toEqual(tokens.map((token) => (token === undefined ? undefined : `Bearer ${token}`)));
  expect(new Set(tokens).size).toBe(4);
});
