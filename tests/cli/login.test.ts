import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { authFileOf, expire, modeOf, signedIn, store, storedIn } from "../auth/support.ts";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { browse, openIdProvider } from "../support/openid-provider.ts";
import {
  codexBinary,
  configToml,
  type RunningCodex,
  type RunOptions,
  runCodex,
  startCodex,
} from "../support/run-codex.ts";
import { type Workspace, workspace } from "../support/workspace.ts";

const key = "sk-proj-marked-0123456789-ABCDE";

/** Runs one command after the other in the same place. */
function codexIn(place: Workspace, options: RunOptions = {}) {
  writeFileSync(path.join(place.home, "config.toml"), configToml(options));
  return (args: readonly string[], { env = {}, input = "" }: { env?: Record<string, string>; input?: string } = {}) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [codexBinary, ...args], {
      cwd: place.work,
      env: { ...place.env, ...env },
      input,
      encoding: "utf8",
      timeout: 110_000,
    });
    return { status, stdout, stderr };
  };
}

/** The address that a waiting login has printed. */
async function printedUrl({ child, sees }: RunningCodex): Promise<string> {
  let text = "";
  child.stderr.on("data", (chunk: string) => {
    text += chunk;
  });
  await sees("response_type=code");
  return /^http\S+response_type=code\S+$/m.exec(text)?.[0] ?? "";
}

describe("codex login with an API key", () => {
  test("login, status, logout, status, logout", () => {
    using place = workspace({ git: false });
    const codex = codexIn(place);
    expect(codex(["login", "--api-key", key])).toEqual({ status: 0, stdout: "", stderr: "Successfully logged in\n" });
    expect(readFileSync(authFileOf(place), "utf8")).toBe(`{\n  "OPENAI_API_KEY": "${key}"\n}\n`);
    expect(modeOf(authFileOf(place))).toBe("600");
    const shown = "Logged in using an API key - sk-proj-***ABCDE\n";
    expect(codex(["login", "status"])).toEqual({ status: 0, stdout: "", stderr: shown });
    expect(codex(["logout"])).toEqual({ status: 0, stdout: "", stderr: "Successfully logged out\n" });
    expect(existsSync(authFileOf(place))).toBe(false);
    expect(codex(["login", "status"])).toEqual({ status: 1, stdout: "", stderr: "Not logged in\n" });
    expect(codex(["logout"])).toEqual({ status: 0, stdout: "", stderr: "Not logged in\n" });
  });

  test.each([
    ["13 characters", "sk-1234567890", "***"],
    ["14 characters", "sk-12345678901", "sk-12345***78901"],
  ])("status with a key of %s", (_, short, shown) => {
    using place = workspace({ git: false });
    store(place, { OPENAI_API_KEY: short });
    expect(codexIn(place)(["login", "status"]).stderr).toBe(`Logged in using an API key - ${shown}\n`);
  });

  test("status with the key in the environment", () => {
    using place = workspace({ git: false });
    const codex = codexIn(place);
    expect(codex(["login", "status"], { env: { OPENAI_API_KEY: key } })).toEqual({
      status: 0,
      stdout: "",
      stderr:
        "Logged in using an API key - sk-proj-***ABCDE\n   API loaded from OPENAI_API_KEY environment variable or .env file\n",
    });
    expect(codex(["login", "status"], { env: { CODEX_API_KEY: key } }).stderr).toContain(
      "   API loaded from CODEX_API_KEY environment variable\n",
    );
  });

  test("a second login replaces the first", () => {
    using place = workspace({ git: false });
    const codex = codexIn(place);
    codex(["login", "--api-key", "sk-first"]);
    codex(["login", "--api-key", "sk-second"]);
    expect(storedIn(place)).toEqual({ OPENAI_API_KEY: "sk-second" });
  });

  test("--with-api-key takes what is piped in, without its line break", () => {
    using place = workspace({ git: false });
    const run = codexIn(place)(["login", "--with-api-key"], { input: `${key}\n` });
    expect(run).toEqual({ status: 0, stdout: "", stderr: "Successfully logged in\n" });
    expect(storedIn(place)).toEqual({ OPENAI_API_KEY: key });
  });

  test.each([
    ["nothing", "", "No API key provided."],
    ["two words", "sk one", "That is no API key: it holds a blank or a control character."],
  ])("%s is no key", (_, input, problem) => {
    using place = workspace({ git: false });
    const codex = codexIn(place);
    const expected = { status: 1, stdout: "", stderr: `Error: ${problem}\n` };
    expect(codex(["login", "--with-api-key"], { input })).toEqual(expected);
    expect(codex(["login", "--api-key", input])).toEqual(expected);
    expect(existsSync(authFileOf(place))).toBe(false);
  });

  test.each([
    [["login", "--api-key", "a", "--with-api-key"]],
    [["login", "--api-key", "a", "--device-auth"]],
    [["login", "--with-api-key", "--device-auth"]],
    [["login", "now"]],
    [["logout", "now"]],
  ])("%j is a usage error", (args) => {
    using place = workspace({ git: false });
    expect(codexIn(place)(args)).toMatchObject({ status: 2, stdout: "" });
  });
});

describe("at a terminal", () => {
  /** Types the text once the question has been asked; everything that the terminal shows. */
  async function typed(args: readonly string[], { question, keys, env = {} }: Typing) {
    using place = workspace({ git: false });
    const command = `'${process.execPath}' '${codexBinary}' ${args.join(" ")}; echo "status $?"`;
    const child = spawn("script", ["-qec", command, "/dev/null"], { cwd: place.work, env: { ...place.env, ...env } });
    let shown = "";
    let isAsked = false;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      shown += text;
      if (isAsked || !shown.includes(question)) return;
      isAsked = true;
      child.stdin.write(keys);
    });
    await once(child, "close");
    return { shown: shown.replaceAll("\r", ""), stored: existsSync(authFileOf(place)) ? storedIn(place) : undefined };
  }

  interface Typing {
    readonly question: string;
    readonly keys: string;
    readonly env?: Record<string, string>;
  }

  test("a key is typed in unseen", async () => {
    const question = "API key (it is not shown): ";
    const { shown, stored } = await typed(["login", "--with-api-key"], { question, keys: `wrong\u007f\u007f${key}\r` });
    expect(shown).toBe(`${question}\nSuccessfully logged in\nstatus 0\n`);
    expect(stored).toEqual({ OPENAI_API_KEY: `wro${key}` });
  });

  test.each(["\u0003", "\u0004"])("Ctrl-C or Ctrl-D (%j) leaves everything as it was", async (keys) => {
    const { shown, stored } = await typed(["login", "--with-api-key"], { question: "API key", keys: `sk-half${keys}` });
    expect(shown).toContain("status 130\n");
    expect(shown).not.toContain("sk-half");
    expect(stored).toBeUndefined();
  });

  test.each([
    ["taken", ["login"], "y\r", { OPENAI_API_KEY: key }, "status 0\n"],
    ["taken with Enter", ["login", "--with-api-key"], "\r", { OPENAI_API_KEY: key }, "status 0\n"],
    ["declined", ["login"], "\r", undefined, "set chatgpt_client_id in config.toml"],
  ])("the key of OPENAI_API_KEY is offered, not printed, and %s", async (_, args, keys, expected, ending) => {
    const { shown, stored } = await typed(args, { question: "OPENAI_API_KEY", keys, env: { OPENAI_API_KEY: key } });
    expect(stored).toEqual(expected);
    expect(shown).toContain(ending);
    expect(shown).not.toContain("marked");
  });
});

describe("codex login to ChatGPT", () => {
  test("prints the address, waits for the browser, and says so", async () => {
    await using provider = await openIdProvider();
    const codex = startCodex(["login", "--no-browser"], { config: provider.config, git: false });
    const url = await printedUrl(codex);
    const page = await browse(url);
    expect(page.text).toContain("Signed in");
    const run = await codex.finished();
    const port = new URL(new URL(url).searchParams.get("redirect_uri") ?? "").port;
    expect(run).toMatchObject({ exitCode: 0, stdout: "" });
    expect(run.stderr).toBe(
      `Starting local login server on http://localhost:${port}.\nOpen this URL in a browser on this machine (from elsewhere: ssh -L ${port}:localhost:${port}):\n\n${url}\n\nSuccessfully logged in\n`,
    );
    expect(JSON.parse(run.homeFiles["auth.json"] ?? "")).toMatchObject({ tokens: { account_id: "account-of-ann" } });
  });

  test("status, doctor and logout know the account, and show no token", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, provider);
    const codex = codexIn(place);
    expect(codex(["login", "status"])).toEqual({ status: 0, stdout: "", stderr: "Logged in using ChatGPT\n" });
    const human = codex(["doctor"]).stdout;
    expect(human).toMatch(
      /credential {2}ChatGPT, ann@example\.com, plan plus, from auth\.json, until \S+Z, then renewed/,
    );
    const { credential } = JSON.parse(codex(["doctor", "--json"]).stdout).checks;
    expect(credential).toMatchObject({ status: "ok", kind: "chatgpt", plan: "plus", email: "ann@example.com" });
    for (const token of Object.values(storedIn(place).tokens ?? {})) {
      if (token !== "account-of-ann") expect(human + JSON.stringify(credential)).not.toContain(token);
    }
    expire(place);
    expect(codex(["doctor"]).stdout).toMatch(/expired \S+Z, renewed by the next run/);
    const { tokens, ...rest } = storedIn(place);
    store(place, { ...rest, tokens: { ...tokens, refresh_token: null } });
    expect(codex(["doctor"]).stdout).toMatch(/^failed +credential .*cannot be renewed\. Log in again: codex login/m);
    expect(codex(["logout"]).stderr).toBe("Successfully logged out\n");
  });

  test("opens the browser of BROWSER, which sees none of our keys", async () => {
    await using provider = await openIdProvider();
    const codex = startCodex(["login"], {
      config: provider.config,
      configTables: ['[model_providers.mine]\nname = "Mine"\nenv_key = "MY_PASS"'],
      git: false,
      env: { BROWSER: "./browser", CODEX_API_KEY: key, MY_PASS: key },
      setup: ({ work }) => {
        writeFileSync(
          path.join(work, "browser"),
          '#!/bin/sh\n{ env; echo "$1"; } > opened.part\nmv opened.part opened\n',
        );
        chmodSync(path.join(work, "browser"), 0o755);
      },
    });
    const url = await printedUrl(codex);
    await codex.sees("If your browser did not open, navigate to this URL to authenticate:");
    const opened = path.join(codex.place.work, "opened");
    await expect.poll(() => existsSync(opened)).toBe(true);
    const text = readFileSync(opened, "utf8");
    expect(text).toContain(url);
    expect(text).not.toContain(key);
    await browse(url);
    expect((await codex.finished()).exitCode).toBe(0);
  });

  test("a refused consent: status 1, with the reason", async () => {
    await using provider = await openIdProvider();
    provider.consents = false;
    const codex = startCodex(["login", "--no-browser"], { config: provider.config, git: false });
    await browse(await printedUrl(codex));
    const run = await codex.finished();
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("\nError logging in: Sign-in was refused: access_denied: the person said no\n");
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s while it waits: status %i, and nothing has changed", async (signal, status) => {
    await using provider = await openIdProvider();
    const homeFiles = { "auth.json": JSON.stringify({ OPENAI_API_KEY: "sk-old" }) };
    const codex = startCodex(["login", "--no-browser"], { config: provider.config, git: false, homeFiles });
    await printedUrl(codex);
    codex.child.kill(signal);
    const run = await codex.finished();
    expect(run.exitCode).toBe(status);
    expect(Object.keys(run.homeFiles).sort()).toEqual(["auth.json", "config.toml"]);
    expect(run.homeFiles["auth.json"]).toBe(homeFiles["auth.json"]);
  });

  test("by device code", async () => {
    await using provider = await openIdProvider({ deviceFlow: true });
    const codex = startCodex(["login", "--device-auth"], { config: provider.config, git: false });
    let text = "";
    codex.child.stderr.on("data", (chunk: string) => {
      text += chunk;
    });
    await codex.sees("/device");
    await browse(/^http\S+\/device\S*$/m.exec(text)?.[0] ?? "");
    const run = await codex.finished();
    expect(run.stderr).toMatch(
      /^Open this URL in a browser on any machine, and check or type the code:\n\nhttp\S+\n\n[A-Z-]{9}\n\nSuccessfully logged in\n$/,
    );
    expect(run.exitCode).toBe(0);
  });

  test.each([
    ["without a client id", [], "No client id for https://auth.openai.com: set chatgpt_client_id in config.toml"],
    ["with an issuer that is no URL", ['chatgpt_issuer = "x"', 'chatgpt_client_id = "y"'], "chatgpt_issuer must be"],
    ["with a port that is none", ["chatgpt_login_port = 70000"], "no port has the number 70000"],
  ])("%s it says what to set", async (_, config, problem) => {
    const run = await runCodex(["login", "--no-browser"], { config, git: false });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(problem);
  });

  test("a key in the environment is pointed out where nobody can be asked", async () => {
    const run = await runCodex(["login"], { git: false, env: { OPENAI_API_KEY: key } });
    expect(run.stderr).toContain("printenv OPENAI_API_KEY | codex login --with-api-key\n");
    expect(run.stderr).not.toContain("marked");
  });
});

test("a run with an API key loads nothing of it", async () => {
  await using model = await fakeModel([say("ok")]);
  const hook = `process.on("exit", () => require("fs").writeFileSync("loaded", process.moduleLoadList.join("\\n")));
    const { readFileSync, appendFileSync } = require("fs");
    require("fs").readFileSync = (file, ...rest) => {
      appendFileSync("read", file + "\\n");
      return readFileSync(file, ...rest);
    };`;
  const run = await runCodex(["exec", "go"], {
    files: { "hook.cjs": hook },
    env: { OPENAI_API_KEY: key, OPENAI_BASE_URL: model.url, NODE_OPTIONS: "--require ./hook.cjs" },
  });
  expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n" });
  const loaded = run.files["loaded"]?.split("\n") ?? [];
  expect(loaded).toContain("NativeModule net");
  for (const name of ["crypto", "http", "https", "tls"]) {
    expect(loaded).not.toContain(`NativeModule ${name}`);
  }
  expect(run.files["read"]).toContain("exec-command.cjs");
  expect(run.files["read"]).not.toMatch(/login|token|issuer|auth-file|transport/);
});

describe("runs that are signed in to ChatGPT", () => {
  const home = (place: Workspace) => ({ "auth.json": readFileSync(authFileOf(place), "utf8") });
  const provider = { requires_openai_auth: true };

  test("7.1: a 401 renews the token once, and the request is sent again at once, without a retry", async () => {
    await using issuer = await openIdProvider();
    await using model = await fakeModel([{ status: 401 }, say("ok")]);
    using place = workspace({ git: false });
    await signedIn(place, issuer);
    const old = storedIn(place).tokens?.access_token;
    const run = await runCodex(["exec", "go"], { model, provider, config: issuer.config, homeFiles: home(place) });
    expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n" });
    const kept = JSON.parse(run.homeFiles["auth.json"] ?? "").tokens.access_token;
    expect(model.requests.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${old}`, `Bearer ${kept}`]);
    expect(issuer.refreshes()).toHaveLength(1);
    expect(run.stderr).not.toContain("retrying");
  });

  test("a model server that refuses the renewed token too is not asked for ever", async () => {
    await using issuer = await openIdProvider();
    await using model = await fakeModel([{ status: 401 }], { repeatLast: true });
    using place = workspace({ git: false });
    await signedIn(place, issuer);
    const run = await runCodex(["exec", "go"], {
      model,
      provider: { ...provider, request_max_retries: 1 },
      config: issuer.config,
      homeFiles: home(place),
    });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("exceeded retry limit, last status: 401 Unauthorized");
    expect(model.requests).toHaveLength(3);
    expect(issuer.refreshes()).toHaveLength(1);
  });

  test("a login that cannot be renewed ends the run with what to do, before anything is sent", async () => {
    await using issuer = await openIdProvider();
    await using model = await fakeModel([]);
    using place = workspace({ git: false });
    await signedIn(place, issuer);
    const { tokens, ...rest } = storedIn(place);
    store(place, { ...rest, tokens: { ...tokens, refresh_token: "of-nobody" } });
    expire(place);
    const run = await runCodex(["exec", "go"], { model, provider, config: issuer.config, homeFiles: home(place) });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain("Your ChatGPT login cannot be renewed: the refresh token was refused (invalid_grant");
    expect(run.stderr).toContain("Log in again: codex login");
  });

  test("five processes at once renew it once, and all of them go on", async () => {
    await using issuer = await openIdProvider();
    await using model = await fakeModel(Array.from({ length: 5 }, () => say("ok")));
    using place = workspace();
    await signedIn(place, issuer);
    expire(place);
    writeFileSync(path.join(place.home, "config.toml"), configToml({ model, provider, config: issuer.config }));
    const codes = await Promise.all(Array.from({ length: 5 }, () => exitCodeOf(place, ["exec", "go"])));
    expect(codes).toEqual([0, 0, 0, 0, 0]);
    expect(issuer.refreshes()).toHaveLength(1);
    const signatures = new Set(model.requests.map(({ headers }) => headers.authorization));
    expect(signatures).toEqual(new Set([`Bearer ${storedIn(place).tokens?.access_token}`]));
  });

  test("two processes with two accounts: a login in one leaves the conversation of the other where it is", async () => {
    await using issuer = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, issuer);
    const ann = storedIn(place).tokens?.access_token;
    const wait = callShell(["sh", "-c", "touch begun; until test -e go-on; do sleep 0.02; done"]);
    await using model = await fakeModel([wait, say("ok")]);
    const codex = startCodex(["exec", "--full-auto", "go"], {
      model,
      provider,
      config: issuer.config,
      homeFiles: home(place),
    });
    await expect.poll(() => existsSync(path.join(codex.place.work, "begun"))).toBe(true);
    issuer.person = "bob";
    await signedIn(codex.place, issuer);
    writeFileSync(path.join(codex.place.work, "go-on"), "");
    const run = await codex.finished();
    expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n" });
    const signed = model.requests.map(({ headers }) => [headers.authorization, headers["chatgpt-account-id"]]);
    expect(signed).toEqual([
      [`Bearer ${ann}`, "account-of-ann"],
      [`Bearer ${ann}`, "account-of-ann"],
    ]);
    expect(JSON.parse(run.homeFiles["auth.json"] ?? "").tokens.account_id).toBe("account-of-bob");
  });
});

async function exitCodeOf(place: Workspace, args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [codexBinary, ...args], { cwd: place.work, env: place.env, stdio: "ignore" });
  const [code] = await once(child, "close");
  return code;
}

describe("what is secret", () => {
  test("a stored key and tokens are nowhere in what a run prints and keeps", async () => {
    await using issuer = await openIdProvider();
    await using model = await fakeModel([
      { status: 401, body: { error: { message: "no" } } },
      callShell(["env"]),
      (request) => ({ status: 403, body: { error: { message: `not ${request.headers.authorization}` } } }),
    ]);
    using place = workspace({ git: false });
    await signedIn(place, issuer);
    const before = storedIn(place);
    store(place, { ...before, OPENAI_API_KEY: key });
    const run = await runCodex(["exec", "--json", "--record", "run.jsonl", "go"], {
      model,
      provider: { requires_openai_auth: true },
      config: issuer.config,
      env: { CODEX_LOG: "trace" },
      homeFiles: { "auth.json": readFileSync(authFileOf(place), "utf8") },
    });
    expect(run.exitCode).toBe(1);
    const { "auth.json": kept = "", ...homeFiles } = run.homeFiles;
    const told = [run.stdout, run.stderr, JSON.stringify(run.files), JSON.stringify(homeFiles)].join("\n");
    expect(told).toContain("PATH="); // there was something to find them in
    expect(told).toContain("***"); // and a server that quoted one
    const { id_token, access_token, refresh_token } = JSON.parse(kept).tokens;
    for (const secret of [key, ...Object.values(before.tokens ?? {}), id_token, access_token, refresh_token]) {
      if (secret !== "account-of-ann") expect(told).not.toContain(secret);
    }
  });
});
