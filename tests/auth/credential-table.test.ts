import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { fakeModel, say } from "../support/fake-model.ts";
import { runCodex } from "../support/run-codex.ts";
import { jwt } from "./support.ts";

const page = readFileSync(path.resolve(import.meta.dirname, "../../docs/authentication.md"), "utf8");
const [, table = ""] = /\| in auth\.json [^\n]*\n\| ---[^\n]*\n((?:\|[^\n]*\n)+)/.exec(page) ?? [];
const rows = table
  .trim()
  .split("\n")
  .map((line) => line.slice(2, -2).split(" | ")) as [
  stored: string,
  variables: string,
  preferred: string,
  used: string,
][];

const tokens = (plan: string) => ({
  id_token: jwt({ "https://api.openai.com/auth": { chatgpt_plan_type: plan } }),
  access_token: "access",
  refresh_token: "refresh",
  account_id: "account",
});

const files: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  nothing: {},
  "a broken file": { "auth.json": '{"OPENAI_API_KEY":"stored' },
  key: { "auth.json": JSON.stringify({ OPENAI_API_KEY: "stored" }) },
  tokens: { "auth.json": JSON.stringify({ OPENAI_API_KEY: null, tokens: tokens("plus") }) },
  "key and tokens, plan plus": { "auth.json": JSON.stringify({ OPENAI_API_KEY: "stored", tokens: tokens("plus") }) },
  "key and tokens, plan enterprise": {
    "auth.json": JSON.stringify({ OPENAI_API_KEY: "stored", tokens: tokens("enterprise") }),
  },
};

const signatures: Readonly<Record<string, string | undefined>> = {
  nothing: undefined,
  "the stored key": "Bearer stored",
  "the tokens": "Bearer access",
  OPENAI_API_KEY: "Bearer of OPENAI_API_KEY",
  CODEX_API_KEY: "Bearer of CODEX_API_KEY",
};

describe("the table in docs/authentication.md", () => {
  test("has rows, in words that this test knows", () => {
    expect(rows.length).toBeGreaterThan(15);
    for (const [stored, , preferred, used] of rows) {
      expect(Object.keys(files)).toContain(stored);
      expect(["not set", "apikey", "chatgpt"]).toContain(preferred);
      expect(Object.keys(signatures)).toContain(used);
    }
  });

  test.each(rows)("%s, variables: %s, preferred_auth_method %s: %s", async (stored, variables, preferred, used) => {
    await using model = await fakeModel([say("ok")]);
    const names = variables === "none" ? [] : variables.split(" and ");
    const run = await runCodex(["exec", "go"], {
      env: { OPENAI_BASE_URL: model.url, ...Object.fromEntries(names.map((name) => [name, `of ${name}`])) },
      config: preferred === "not set" ? [] : [`preferred_auth_method = "${preferred}"`],
      homeFiles: files[stored] ?? {},
    });
    expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n" });
    const [request] = model.requests;
    expect(request?.headers.authorization).toBe(signatures[used]);
    expect(request?.headers["chatgpt-account-id"]).toBe(used === "the tokens" ? "account" : undefined);
    const warnings = run.stderr.split("preferred_auth_method is a key of old releases").length - 1;
    expect(warnings).toBe(preferred === "not set" ? 0 : 1);
    expect(run.stderr.includes("not a JSON object")).toBe(stored === "a broken file");
  });
});
