import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { readAuthFile } from "../../src/auth/auth-file.ts";
import { type CredentialNeed, resolveCredential } from "../../src/auth/credentials.ts";
import type { ModelProvider } from "../../src/config/model-providers.ts";
import type { Environment } from "../../src/lib/environment.ts";
import { providerAt } from "./ask.ts";

const codexHome = mkdtempSync(path.join(os.tmpdir(), "codex-auth-"));
const authFile = path.join(codexHome, "auth.json");
beforeEach(() => rmSync(authFile, { force: true }));
afterAll(() => rmSync(codexHome, { recursive: true }));

const openai = providerAt("https://api.openai.com/v1", { requiresOpenaiAuth: true });

interface Circumstances extends Partial<Omit<CredentialNeed, "provider">> {
  readonly env?: Environment;
  readonly warn?: (sentence: string) => void;
}

function resolve(provider: ModelProvider, { env = {}, preferredAuthMethod, warn }: Circumstances = {}) {
  const stored = () => {
    const { auth, problem } = readAuthFile(codexHome);
    if (problem !== undefined) warn?.(problem);
    return auth;
  };
  return resolveCredential({ provider, preferredAuthMethod }, { env, stored });
}

function tokens(plan: string): object {
  const claims = { "https://api.openai.com/auth": { chatgpt_plan_type: plan, chatgpt_account_id: "of-the-token" } };
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return { id_token: `e30.${payload}.sig`, access_token: "access", refresh_token: "refresh", account_id: "account" };
}

const store = (content: object) => writeFileSync(authFile, JSON.stringify(content));
const chatgpt = { kind: "chatgpt", token: "access", accountId: "account" };
const key = { kind: "api-key", token: "stored" };

test("a provider's variable that is missing or blank is an error that tells what to do", () => {
  const provider = providerAt("http://x/v1", { envKey: "ZZ_KEY", envKeyInstructions: "Get one at example.com." });
  expect(() => resolve(provider, { env: { OPENAI_API_KEY: "no" } })).toThrow(
    "Missing environment variable: `ZZ_KEY`. Get one at example.com.",
  );
  expect(() => resolve({ ...provider, envKeyInstructions: undefined }, { env: { ZZ_KEY: "  " } })).toThrow(
    /^Missing environment variable: `ZZ_KEY`\.$/,
  );
});

test("a provider's variable comes before everything else, also on the chat wire", () => {
  const env = { ZZ_KEY: " mine\n", CODEX_API_KEY: "no" };
  const expected = { kind: "api-key", token: "mine", source: "ZZ_KEY" };
  expect(resolve({ ...openai, envKey: "ZZ_KEY" }, { env })).toEqual(expected);
  expect(resolve(providerAt("http://x/v1", { envKey: "ZZ_KEY", wireApi: "chat" }), { env })).toEqual(expected);
});

test("the environment comes before what is stored: CODEX_API_KEY, then OPENAI_API_KEY", () => {
  store({ OPENAI_API_KEY: "stored", tokens: tokens("plus") });
  const env = { CODEX_API_KEY: "a", OPENAI_API_KEY: "b" };
  expect(resolve(openai, { env })).toMatchObject({ token: "a", source: "CODEX_API_KEY" });
  expect(resolve(openai, { env: { ...env, CODEX_API_KEY: "" } })).toMatchObject({ token: "b" });
  expect(resolve(openai)).toMatchObject(chatgpt);
});

test.each([
  ["free", chatgpt],
  ["plus", chatgpt],
  ["Pro", chatgpt],
  ["team", chatgpt],
  ["business", key],
  ["enterprise", key],
  ["edu", key],
  ["unheard-of", key],
])("both tokens and a key are stored, plan %s", (plan, expected) => {
  store({ OPENAI_API_KEY: "stored", tokens: tokens(plan) });
  expect(resolve(openai)).toMatchObject(expected);
});

test("a key is preferred when the configuration says so, but tokens alone are used all the same", () => {
  store({ OPENAI_API_KEY: "stored", tokens: tokens("plus") });
  expect(resolve(openai, { preferredAuthMethod: "apikey" })).toMatchObject(key);
  store({ OPENAI_API_KEY: null, tokens: { ...tokens("enterprise"), account_id: undefined } });
  expect(resolve(openai, { preferredAuthMethod: "apikey" })).toMatchObject({ ...chatgpt, accountId: "of-the-token" });
});

test("a key alone is used, unknown fields are ignored", () => {
  store({ OPENAI_API_KEY: "stored", tokens: null, last_refresh: "2025-08-30T12:00:00.000000Z", auth_mode: "apikey" });
  expect(resolve(openai)).toEqual({ ...key, source: "auth.json" });
});

test.each(["", "{", "[]", '{"tokens":{"access_token":5}}', '{"OPENAI_API_KEY":" "}'])(
  "auth.json %j counts as missing",
  (text) => {
    writeFileSync(authFile, text);
    expect(resolve(openai)).toBeUndefined();
  },
);

test("a broken auth.json is told without its content; a missing one is not", () => {
  const told: string[] = [];
  const warn = (sentence: string) => told.push(sentence);
  resolve(openai, { warn });
  writeFileSync(authFile, '{"OPENAI_API_KEY":"sk-secret"');
  resolve(openai, { warn });
  expect(told).toEqual([`Cannot read "${authFile}": not a JSON object`]);
});

test("a provider of the user's gets no credential that it does not ask for", () => {
  store({ OPENAI_API_KEY: "stored" });
  const env = { CODEX_API_KEY: "a", OPENAI_API_KEY: "b" };
  expect(resolve(providerAt("https://example.com/v1"), { env })).toBeUndefined();
});

test("nothing but the provider's variable goes over the chat wire", () => {
  store({ OPENAI_API_KEY: "stored" });
  expect(resolve({ ...openai, wireApi: "chat" }, { env: { OPENAI_API_KEY: "b" } })).toBeUndefined();
});
