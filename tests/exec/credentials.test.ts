import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { type RunOptions, runCodex } from "../support/run-codex.ts";

function authJson(content: { readonly key?: string; readonly plan?: string }): string {
  const claims = { "https://api.openai.com/auth": { chatgpt_plan_type: content.plan } };
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return JSON.stringify({
    OPENAI_API_KEY: content.key ?? null,
    tokens:
      content.plan === undefined
        ? null
        : { id_token: `e30.${payload}.sig`, access_token: "access", refresh_token: "refresh", account_id: "account" },
    last_refresh: "2025-08-30T12:00:00.000000Z",
  });
}

/** What signed the only request of a run, and the run. */
async function signed(options: RunOptions & { readonly isBuiltIn: boolean }) {
  await using model = await fakeModel([say("ok")]);
  const run = await runCodex(["exec", "go"], {
    ...options,
    ...(options.isBuiltIn ? { env: { OPENAI_BASE_URL: model.url, ...options.env } } : { model }),
  });
  expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n" });
  const { authorization, "chatgpt-account-id": account } = model.requests[0]?.headers ?? {};
  return { run, credential: { authorization, account } };
}

const key = (token: string) => ({ authorization: `Bearer ${token}`, account: undefined });
const chatgpt = { authorization: "Bearer access", account: "account" };
const none = { authorization: undefined, account: undefined };
const everything = {
  homeFiles: { "auth.json": authJson({ key: "stored", plan: "plus" }) },
  env: { CODEX_API_KEY: "sk-codex", OPENAI_API_KEY: "sk-openai" },
};

describe("the built-in provider gets", () => {
  test.each<[name: string, options: RunOptions, credential: object]>([
    ["CODEX_API_KEY before all others", everything, key("sk-codex")],
    [
      "OPENAI_API_KEY before what is stored",
      { env: { OPENAI_API_KEY: "sk-openai" }, homeFiles: { "auth.json": authJson({ plan: "plus" }) } },
      key("sk-openai"),
    ],
    [
      "the stored token of a plan that includes us",
      { homeFiles: { "auth.json": authJson({ key: "stored", plan: "plus" }) } },
      chatgpt,
    ],
    [
      "the stored key of any other plan",
      { homeFiles: { "auth.json": authJson({ key: "stored", plan: "enterprise" }) } },
      key("stored"),
    ],
    [
      "the stored key that the configuration prefers",
      {
        config: ['preferred_auth_method = "apikey"'],
        homeFiles: { "auth.json": authJson({ key: "stored", plan: "plus" }) },
      },
      key("stored"),
    ],
    ["a stored key alone", { homeFiles: { "auth.json": authJson({ key: "stored" }) } }, key("stored")],
    ["nothing where there is nothing", {}, none],
    ["nothing from a broken auth.json", { homeFiles: { "auth.json": '{"OPENAI_API_KEY":"stored"' } }, none],
  ])("%s", async (_, options, credential) => {
    expect((await signed({ ...options, isBuiltIn: true })).credential).toEqual(credential);
  });

  test("of a broken auth.json the person is told, without what is in it", async () => {
    const { run } = await signed({ isBuiltIn: true, homeFiles: { "auth.json": '{"OPENAI_API_KEY":"stored"' } });
    expect(run.stderr).toContain(`Cannot read "${run.home}/auth.json": not a JSON object`);
  });

  test("one that is nested without an end is as broken", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const homeFiles = { "auth.json": `{"OPENAI_API_KEY":"stored","x":${deep}}` };
    const { run, credential } = await signed({ isBuiltIn: true, homeFiles });
    expect(credential).toEqual(none);
    expect(run.stderr).toContain(`Cannot read "${run.home}/auth.json": nested more than 500 levels deep`);
  });
});

describe("a provider of the user's gets", () => {
  test.each<[name: string, options: RunOptions, credential: object]>([
    ["nothing of OpenAI's", everything, none],
    [
      "the stored credential when it says so",
      { ...everything, env: {}, provider: { requires_openai_auth: true } },
      chatgpt,
    ],
    [
      "its own variable before all others",
      { ...everything, env: { ...everything.env, ZZ: "zz" }, provider: { env_key: "ZZ", requires_openai_auth: true } },
      key("zz"),
    ],
    ["nothing on the chat wire", { ...everything, wire: "chat", provider: { requires_openai_auth: true } }, none],
    [
      "its own variable on the chat wire too",
      { ...everything, env: { ...everything.env, ZZ: "zz" }, wire: "chat", provider: { env_key: "ZZ" } },
      key("zz"),
    ],
  ])("%s", async (_, options, credential) => {
    expect((await signed({ ...options, isBuiltIn: false })).credential).toEqual(credential);
  });
});

describe("a credential stays a secret", () => {
  const secret = "sk-very-secret-0123456789";

  test.each(["--color=never", "--json", "--experimental-json"])("%s: in what is printed and kept", async (format) => {
    await using model = await fakeModel([callShell(["env"]), { status: 403, body: { error: { message: "no" } } }]);
    const options = { model, provider: { env_key: "ZZ_KEY" }, env: { ZZ_KEY: secret } };
    const run = await runCodex(["exec", format, "--record", "run.jsonl", "go"], options);
    expect(run.exitCode).toBe(1);
    expect(model.requests[1]?.headers.authorization).toBe(`Bearer ${secret}`);
    const told = [run.stdout, run.stderr, run.files["run.jsonl"], JSON.stringify(run.homeFiles)];
    expect(told.join()).toContain("PATH="); // it was there to be told
    expect(told.join()).not.toContain(secret);
  });
});
