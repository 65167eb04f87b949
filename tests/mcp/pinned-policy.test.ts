import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { closedGate } from "../support/gate.ts";
import { fullAccess, type McpMessage, type McpSession, startMcp, textOf } from "../support/mcp-session.ts";
import { runCodex } from "../support/run-codex.ts";
import type { Workspace } from "../support/workspace.ts";

/** What a call asks for beside its task; each door spells it its own way. */
interface Wish {
  readonly sandbox?: string;
  readonly approval?: string;
  readonly cwd?: string;
  readonly config?: object;
  readonly model?: string;
}

/** A way into the server: returns what is said to the wish. */
type Door = (mcp: McpSession, wish: Wish) => Promise<string>;

const unlock = "Whoever runs the server can unlock it (mcp.locked, --lock).";
const tooMuch =
  "The sandbox danger-full-access is refused, because this server allows workspace-write at most (mcp.max_sandbox, mcp.locked, --lock). Ask for workspace-write or less.";
const network =
  "Network access is refused, because this server's commands have none. Leave it out, or change sandbox_workspace_write.network_access in the configuration of the server.";
const outsideOf = ({ work }: Workspace, wanted: string) =>
  `because commands could write ${wanted} and this server keeps them inside "${work}" and the writable_roots of its configuration.`;

const writable = ['sandbox_mode = "workspace-write"', 'approval_policy = "on-request"'];
const pinned = { config: writable, args: ["-c", "mcp.max_sandbox=workspace-write"] };

function said({ result, error }: McpMessage): string {
  return error?.message ?? result.structuredContent?.message ?? result.content?.[0]?.text ?? "done";
}

function defined(values: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

const hyphens = ({ approval, ...wish }: Wish) => defined({ ...wish, "approval-policy": approval });
const underscores = ({ approval, ...wish }: Wish) => defined({ ...wish, approval_policy: approval });
const camels = ({ approval, ...wish }: Wish) => defined({ ...wish, approvalPolicy: approval });

async function newConversation(mcp: McpSession): Promise<{ conversationId: string; rolloutPath: string }> {
  return (await mcp.request("newConversation", { cwd: mcp.codex.place.work })).result;
}

const doors: Readonly<Record<string, Door>> = {
  codex: async (mcp, wish) => said(await mcp.call("codex", { prompt: "x", ...hyphens(wish) })),
  conversationCreate: async (mcp, wish) => {
    const args = { prompt: "", model: "mock-model", cwd: mcp.codex.place.work, ...underscores(wish) };
    return said(await mcp.call("conversationCreate", args));
  },
  conversationSendMessage: async (mcp, wish) => {
    const { conversationId } = await newConversation(mcp);
    const args = { conversation_id: conversationId, content: [{ type: "text", text: "x" }], ...underscores(wish) };
    return said(await mcp.call("conversationSendMessage", args));
  },
  newConversation: async (mcp, wish) => said(await mcp.request("newConversation", camels(wish))),
  resumeConversation: async (mcp, wish) => {
    const { rolloutPath } = await newConversation(mcp);
    return said(await mcp.request("resumeConversation", { path: rolloutPath, overrides: camels(wish) }));
  },
};

/** Those that take a whole policy instead of a mode and a config. */
interface PolicyWish extends Pick<Wish, "approval" | "cwd" | "model"> {
  readonly policy: object;
}

function sendUserTurn(mcp: McpSession, conversationId: string, { policy, approval, cwd, model }: PolicyWish) {
  return mcp.request("sendUserTurn", {
    conversationId,
    items: [{ type: "text", data: { text: "x" } }],
    cwd: cwd ?? mcp.codex.place.work,
    approvalPolicy: approval ?? "on-request",
    sandboxPolicy: policy,
    model: model ?? "mock-model",
    summary: "auto",
  });
}

const policyDoors: Readonly<Record<string, (mcp: McpSession, wish: PolicyWish) => Promise<string>>> = {
  sendUserTurn: async (mcp, wish) => said(await sendUserTurn(mcp, (await newConversation(mcp)).conversationId, wish)),
  execOneOffCommand: async (mcp, { policy, cwd }) => {
    const params = { command: ["touch", path.join(mcp.codex.place.work, "ran")], sandboxPolicy: policy };
    return said(await mcp.request("execOneOffCommand", { ...params, ...(cwd === undefined ? {} : { cwd }) }));
  },
};

/** A folder beside the workspace, and a link in the workspace that leads there. */
function withOutside(place: Workspace): void {
  mkdirSync(path.join(place.root, "other"));
  mkdirSync(path.join(place.work, "sub"));
  symlinkSync(path.join(place.root, "other"), path.join(place.work, "link"));
}

describe("max_sandbox", () => {
  test.each(Object.entries(doors))("%s gets no looser sandbox, and nothing starts", async (_, ask) => {
    await using model = await fakeModel([]);
    await using mcp = startMcp({ model, ...pinned, setup: withOutside });
    const { work, root } = mcp.codex.place;
    const cwdRefused = (cwd: string) =>
      `The cwd "${cwd}" is refused with sandbox workspace-write, because commands could write there and this server keeps them inside "${work}" and the writable_roots of its configuration. Use sandbox read-only or a cwd inside, or add the folder to sandbox_workspace_write.writable_roots of the server.`;
    const roots = `The sandbox is refused, ${outsideOf(mcp.codex.place, `"${root}/other"`)} Leave sandbox_workspace_write out, or change it in the configuration of the server.`;
    const asked: readonly [Wish, string][] = [
      [{ sandbox: "danger-full-access" }, tooMuch],
      [{ config: { sandbox_mode: "danger-full-access" } }, tooMuch],
      [{ config: { "sandbox_workspace_write.network_access": true } }, network],
      [{ config: { sandbox_workspace_write: { network_access: true } } }, network],
      [{ config: { "sandbox_workspace_write.writable_roots": [`${root}/other`] } }, roots],
      [{ cwd: `${root}/other` }, cwdRefused(`${root}/other`)],
      [{ cwd: `${work}/link` }, cwdRefused(`${root}/other`)],
      [{ cwd: `${work}/sub/../../other` }, cwdRefused(`${root}/other`)],
      [{ cwd: root, config: { "mcp.max_sandbox": "danger-full-access", "mcp.locked": [] } }, cwdRefused(root)],
    ];
    for (const [wish, refusal] of asked) {
      const answer = await ask(mcp, wish);
      if (answer.startsWith("Overrides are not supported for one message: mcp.")) continue;
      expect([wish, answer.slice(-refusal.length)]).toEqual([wish, refusal]);
    }
    expect(model.requests).toEqual([]);
  });

  test.each(Object.entries(policyDoors))("%s gets no looser policy, and nothing starts", async (_, ask) => {
    await using model = await fakeModel([]);
    await using mcp = startMcp({ model, ...pinned, setup: withOutside });
    const { work, root } = mcp.codex.place;
    const policy = { mode: "workspace-write" };
    expect(await ask(mcp, { policy: { mode: "danger-full-access" } })).toBe(tooMuch);
    expect(await ask(mcp, { policy: { ...policy, network_access: true } })).toBe(network);
    expect(await ask(mcp, { policy: { ...policy, writable_roots: ["/"] } })).toContain(
      outsideOf(mcp.codex.place, '"/"'),
    );
    for (const cwd of [`${root}/other`, `${work}/link`, `${work}/sub/../../other`]) {
      expect(await ask(mcp, { policy, cwd })).toMatch(/^The cwd ".*other" is refused with sandbox workspace-write/);
    }
    expect(model.requests).toEqual([]);
    expect(Object.keys(mcp.codex.place.files())).toEqual([]);
  });

  test("what is as tight or tighter is accepted, at every door", async () => {
    await using model = await fakeModel([say("one"), say("two"), say("three")]);
    await using mcp = startMcp({ model, ...pinned, setup: withOutside });
    const { work, root } = mcp.codex.place;
    const inside = { mode: "workspace-write", writable_roots: [`${work}/sub`], exclude_slash_tmp: true };
    expect(textOf(await mcp.call("codex", { prompt: "x", sandbox: "read-only", cwd: `${root}/other` }))).toBe("one");
    const config = { sandbox_workspace_write: { exclude_slash_tmp: true, writable_roots: ["sub"] } };
    expect(textOf(await mcp.call("codex", { prompt: "x", cwd: "sub", config }))).toBe("two");
    const { conversationId, rolloutPath } = await newConversation(mcp);
    expect((await sendUserTurn(mcp, conversationId, { policy: inside })).result).toEqual({});
    await model.received(3);
    const resumed = await mcp.request("resumeConversation", { path: rolloutPath, overrides: { sandbox: "read-only" } });
    expect(resumed.result.conversationId).toBe(conversationId);
    const command = ["touch", "made"];
    const answer = await mcp.request("execOneOffCommand", { command, cwd: `${work}/sub`, sandboxPolicy: inside });
    expect(answer.result).toMatchObject({ exitCode: 0 });
    expect(mcp.codex.place.files()).toEqual({ "sub/made": "" });
  });

  test("a server that is read-only may be used up to its limit, with its own roots and no more", async () => {
    await using model = await fakeModel([callShell(["touch", "made"]), say("one")]);
    const configTables = ["[sandbox_workspace_write]", "exclude_slash_tmp = true"];
    await using mcp = startMcp({ model, config: ['approval_policy = "never"'], configTables, args: pinned.args });
    const ask = (config: object) => mcp.call("codex", { prompt: "x", sandbox: "workspace-write", config });
    for (const config of [{ "sandbox_workspace_write.exclude_slash_tmp": false }, { sandbox_workspace_write: null }]) {
      expect(textOf(await ask(config))).toContain(outsideOf(mcp.codex.place, '"/tmp"'));
    }
    expect(textOf(await mcp.call("codex", { prompt: "x", sandbox: "workspace-write" }))).toBe("one");
    expect(mcp.codex.place.files()).toEqual({ made: "" });
  });

  test("no call takes a stronger sandbox or the filter of the environment away", async () => {
    await using model = await fakeModel([]);
    const config = ['linux_sandbox = "auto"', ...writable];
    const configTables = ["[shell_environment_policy]", 'exclude = ["PRIVATE_*"]'];
    await using mcp = startMcp({ model, config, configTables, args: pinned.args });
    for (const value of ["landlock", null]) {
      expect(await doors["codex"]?.(mcp, { config: { linux_sandbox: value } })).toContain(
        "linux_sandbox landlock is refused, because this server has auto.",
      );
    }
    for (const value of [null, { ignore_default_excludes: true, exclude: ["PRIVATE_*"] }]) {
      expect(await doors["codex"]?.(mcp, { config: { shell_environment_policy: value } })).toContain(
        "The shell_environment_policy is refused, because commands would have other variables or more of this server's environment.",
      );
    }
    expect(model.requests).toEqual([]);
  });

  test("a turn's cwd that becomes a link after it was checked gives nothing away", async () => {
    const linked = closedGate();
    await using model = await fakeModel([callShell(["touch", "made"], { after: linked.opened }), say("one")]);
    await using mcp = startMcp({ model, ...pinned, setup: withOutside });
    const { work, root } = mcp.codex.place;
    const { conversationId } = await newConversation(mcp);
    await mcp.request("addConversationListener", { conversationId });
    const cwd = `${work}/later`;
    const turn = { policy: { mode: "workspace-write" }, cwd, approval: "never" };
    expect((await sendUserTurn(mcp, conversationId, turn)).result).toEqual({});
    await model.received(1);
    symlinkSync(path.join(root, "other"), cwd);
    linked.open();
    await mcp.event("task_complete");
    expect(model.requests).toHaveLength(2);
    expect(readdirSync(path.join(root, "other"))).toEqual([]);
  });

  test("a server that itself exceeds the limit does not start", async () => {
    const { exitCode, stderr } = await runCodex(["mcp", "-c", "mcp.max_sandbox=read-only"], { config: writable });
    expect([exitCode, stderr]).toEqual([
      1,
      "Error: error loading config: sandbox_mode is workspace-write and mcp.max_sandbox allows read-only at most: change one of them\n",
    ]);
  });
});

describe("locked", () => {
  test.each(Object.entries(doors))("%s cannot change a locked sandbox or approval policy", async (_, ask) => {
    await using model = await fakeModel([]);
    const args = ["-c", 'mcp.locked=["sandbox", "approvalPolicy"]'];
    await using mcp = startMcp({ model, config: writable, args });
    expect(await ask(mcp, { sandbox: "danger-full-access" })).toContain(tooMuch);
    const refusal = `approval-policy "never" is refused, because it is locked to "on-request". ${unlock}`;
    expect(await ask(mcp, { approval: "never" })).toContain(refusal);
    expect(await ask(mcp, { config: { approval_policy: "never" } })).toContain(refusal);
    expect(model.requests).toEqual([]);
  });

  test("approval_policy and approvalPolicy are approval-policy, in a call and in the setting", async () => {
    await using model = await fakeModel([say("one")]);
    const approval = "approval_policy";
    await using mcp = startMcp({ model, config: writable, configTables: ["[mcp]", `locked = ["${approval}"]`] });
    for (const name of ["approval-policy", "approval_policy", "approvalPolicy", "APPROVAL-policy"]) {
      expect(textOf(await mcp.call("codex", { prompt: "x", [name]: "never" }))).toContain("because it is locked");
    }
    expect(textOf(await mcp.call("codex", { prompt: "x", "approval-policy": "untrusted" }))).toBe("one");
  });

  test("the turns of a conversation and its resumption are held too", async () => {
    await using model = await fakeModel([]);
    const args = ["-c", 'mcp.locked=["approval-policy", "model", "cwd"]'];
    await using mcp = startMcp({ model, config: writable, args });
    const { conversationId } = await newConversation(mcp);
    const policy = { mode: "read-only" };
    const ask = async (wish: object) => said(await sendUserTurn(mcp, conversationId, { policy, ...wish }));
    expect(await ask({ approval: "never" })).toContain('approval-policy "never" is refused');
    expect(await ask({ model: "m-2" })).toContain('model "m-2" is refused, because it is locked to "mock-model"');
    expect(await ask({ cwd: "/" })).toContain('cwd "/" is refused, because it is locked to');
    expect(model.requests).toEqual([]);
  });

  test.each<[string, object, string]>([
    ["model", { model: "m-2" }, 'model "m-2" is refused, because it is locked to "mock-model".'],
    ["model", { config: { model: "m-2" } }, 'model "m-2" is refused, because it is locked to "mock-model".'],
    ["model", { profile: "fast" }, 'model "m-fast" is refused, because it is locked to "mock-model".'],
    ["profile", { profile: "fast" }, 'profile "fast" is refused, because it is locked to none.'],
    ["profile", { config: { profile: "fast" } }, 'profile "fast" is refused, because it is locked to none.'],
    ["approval-policy", { profile: "loose" }, 'approval-policy "never" is refused, because it is locked to'],
    ["approval-policy", { config: { profile: "loose" } }, 'approval-policy "never" is refused'],
    ["cwd", { cwd: "/" }, 'cwd "/" is refused, because it is locked to'],
    ["include_plan_tool", { "include-plan-tool": true }, "include-plan-tool true is refused"],
    ["baseInstructions", { "base-instructions": "Squawk." }, "Other instructions are refused"],
    ["base-instructions", { config: { base_instructions: "Squawk." } }, "Other instructions are refused"],
    ["config", { config: { model: "m-2", hide_agent_reasoning: true } }, "(model, hide_agent_reasoning) is refused"],
    ["config", { config: { "mcp_servers.own": null } }, "(mcp_servers.own) is refused"],
    ["config", { config: { "mcp.locked": [] } }, "(mcp.locked) is refused"],
    ["config", { config: { sandbox_mode: null } }, "(sandbox_mode) is refused"],
  ])("%s: %j is refused", async (name, args, refusal) => {
    await using model = await fakeModel([]);
    const configTables = [
      '[profiles.fast]\nmodel = "m-fast"\n[profiles.loose]\napproval_policy = "never"',
      `[mcp]\nlocked = ["${name}"]`,
      '[mcp_servers.own]\ncommand = "true"',
    ];
    await using mcp = startMcp({ model, config: writable, configTables });
    expect(textOf(await mcp.call("codex", { prompt: "x", ...args }))).toContain(refusal);
    expect(model.requests).toEqual([]);
  });

  test("what says the same as the server is accepted", async () => {
    await using model = await fakeModel([say("one")]);
    const locked = `["config", "cwd", "model", "profile", "sandbox", "approval-policy", "include-plan-tool"]`;
    await using mcp = startMcp({ model, config: writable, configTables: [`[mcp]\nlocked = ${locked}`] });
    const args = { model: "mock-model", cwd: ".", sandbox: "read-only", "approval-policy": "untrusted" };
    const config = { model: "mock-model", sandbox_mode: "workspace-write", notify: null, "no.such.key": 1 };
    const others = { "include-plan-tool": false, profile: null, config };
    expect(textOf(await mcp.call("codex", { prompt: "x", ...args, ...others }))).toBe("one");
  });

  test.each(["model", "config"])("setDefaultModel does not change config.toml while %s is locked", async (name) => {
    await using mcp = startMcp({ configTables: [`[mcp]\nlocked = ["${name}"]`] });
    const before = mcp.codex.place.homeFiles()["config.toml"];
    expect((await mcp.request("setDefaultModel", { model: "m-2" })).error).toEqual({
      code: -32600,
      message: `setDefaultModel is refused, because "${name}" is locked. ${unlock}`,
    });
    expect(mcp.codex.place.homeFiles()["config.toml"]).toBe(before);
  });

  test("an argument that no tool has is an error of the configuration that names the others", async () => {
    const run = await runCodex(["mcp"], { configTables: ['[mcp]\nlocked = ["sandbox", "prompt"]'] });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(
      "unknown argument `prompt`, expected one of `approval-policy`, `base-instructions`, `config`, `cwd`, `include-plan-tool`, `model`, `profile`, `sandbox`\nin `mcp.locked`\n",
    );
  });
});

describe("recorded sessions", () => {
  /** One recorded under `options`, and the file it is in. */
  async function recorded(
    config: readonly string[],
    cwd?: string,
  ): Promise<{ id: string; text: string; name: string }> {
    await using model = await fakeModel([say("one")]);
    await using mcp = startMcp({ model, config });
    const { result } = await mcp.call("codex", { prompt: "x", ...(cwd === undefined ? {} : { cwd }) });
    const [name, text] =
      Object.entries(mcp.codex.place.homeFiles()).find(([file]) => file.startsWith("sessions/")) ?? [];
    if (name === undefined || text === undefined) throw new Error("nothing was recorded");
    return { id: result.structuredContent.conversationId, text, name };
  }

  test.each(["sessions", "archived_sessions"])(
    "one of %s that had full access is not resumed by a pinned server, but with tighter overrides",
    async (folder) => {
      const { id, text, name } = await recorded(fullAccess);
      const file = folder === "sessions" ? name : `${folder}/${path.basename(name)}`;
      await using model = await fakeModel([]);
      await using mcp = startMcp({
        model,
        ...pinned,
        homeFiles: { [file]: text.replaceAll(/"cwd":"[^"]*"/g, '"cwd":"/"') },
      });
      const refusal = `${tooMuch} The session was recorded so; resumeConversation can resume it with tighter overrides.`;
      const rollout = path.join(mcp.codex.place.home, file);
      if (folder === "sessions") {
        const answer = await mcp.call("codex-reply", { conversationId: id, prompt: "y" });
        expect(textOf(answer)).toBe(`Failed to resume session ${id}: ${refusal}`);
      }
      const resume = (overrides?: object) =>
        mcp.request("resumeConversation", { path: rollout, ...(overrides === undefined ? {} : { overrides }) });
      expect((await resume()).error?.message).toBe(`error resuming conversation: ${refusal}`);
      expect((await resume({ sandbox: "workspace-write" })).error?.message).toContain('The cwd "/" is refused');
      expect((await resume({ sandbox: "read-only" })).result.conversationId).toBe(id);
      expect(model.requests).toEqual([]);
    },
  );

  test("a locked approval policy holds for it", async () => {
    const { id, text, name } = await recorded(['approval_policy = "never"']);
    await using model = await fakeModel([]);
    await using mcp = startMcp({ model, args: ["--lock"], homeFiles: { [name]: text } });
    expect(textOf(await mcp.call("codex-reply", { conversationId: id, prompt: "y" }))).toContain(
      'approval-policy "never" is refused, because it is locked to "on-request".',
    );
    expect(model.requests).toEqual([]);
  });

  test("a refused resumption leaves a live session as it is", async () => {
    await using model = await fakeModel([say("one"), say("two")]);
    await using mcp = startMcp({ model, ...pinned });
    const { result } = await mcp.call("codex", { prompt: "x" });
    const { conversationId } = result.structuredContent;
    const [name = ""] = Object.keys(mcp.codex.place.homeFiles()).filter((file) => file.startsWith("sessions/"));
    const file = path.join(mcp.codex.place.home, name);
    const overrides = { sandbox: "danger-full-access" };
    expect((await mcp.request("resumeConversation", { path: file, overrides })).error?.message).toContain(tooMuch);
    expect(textOf(await mcp.call("codex-reply", { conversationId, prompt: "y" }))).toBe("two");
  });
});

describe("--lock", () => {
  test("it locks sandbox, approval policy, config and profile as the server has them, and nothing else", async () => {
    await using model = await fakeModel([say("one")]);
    await using mcp = startMcp({ model, args: ["--lock"], configTables: ['[profiles.fast]\nmodel = "m-fast"'] });
    const refused: readonly [object, string][] = [
      [{ sandbox: "workspace-write" }, "this server allows read-only at most"],
      [{ "approval-policy": "on-failure" }, "approval-policy"],
      [{ config: { model: "m-2" } }, 'because "config" is locked'],
      [{ profile: "fast" }, "profile"],
    ];
    for (const [args, text] of refused) {
      expect(textOf(await mcp.call("codex", { prompt: "x", ...args }))).toContain(text);
    }
    expect(model.requests).toEqual([]);
    expect(textOf(await mcp.call("codex", { prompt: "x", model: "m-2", cwd: "/" }))).toBe("one");
  });

  test("a call in the case of the issue starts nothing", async () => {
    await using model = await fakeModel([]);
    await using mcp = startMcp({ model, args: ["--lock"], config: ['approval_policy = "untrusted"'] });
    const touch = (name: string) => ["touch", path.join(mcp.codex.place.work, name)];
    const [command, ...args] = touch("server");
    const config = { notify: touch("notify"), mcp_servers: { e: { command, args } } };
    const call = { prompt: "x", sandbox: "danger-full-access", "approval-policy": "never", config };
    expect((await mcp.call("codex", call)).result.isError).toBe(true);
    expect(model.requests).toEqual([]);
    expect(mcp.codex.place.files()).toEqual({});
  });
});

describe("without any pin", () => {
  const own = ["[mcp_servers.own]", 'command = "sh"', 'args = ["-c", "touch own"]'];
  const refusedFor = (key: string) =>
    `The config of the call is refused, because ${key} would start a program outside the sandbox that the server's configuration does not name. Put it into config.toml or give it to the server with -c, or set mcp.allow_call_programs = true there.`;

  test.each<[object, string]>([
    [{ notify: ["touch", "notified"] }, "notify"],
    [{ mcp_servers: { e: { command: "touch", args: ["served"] } } }, "mcp_servers.e"],
    [{ "mcp_servers.e.command": "touch" }, "mcp_servers.e"],
    [{ "mcp_servers.__proto__.command": "touch" }, "mcp_servers.__proto__"],
    [{ "mcp_servers.own.command": "touch" }, "mcp_servers.own"],
    [{ "mcp_servers.own.args": ["-c", "touch other"] }, "mcp_servers.own"],
    [{ "mcp_servers.own.env.PATH": "." }, "mcp_servers.own"],
    [{ "mcp_servers.own.enabled_tools": ["x"] }, "mcp_servers.own"],
    [{ notify: ["touch", "notified"], "mcp.allow_call_programs": true }, "notify"],
  ])("a call's config %j is refused at every door, and starts nothing", async (config, key) => {
    await using model = await fakeModel([]);
    await using mcp = startMcp({ model, config: fullAccess, configTables: own });
    for (const name of ["codex", "conversationCreate", "newConversation"] as const) {
      expect(await doors[name]?.(mcp, { config })).toContain(refusedFor(key));
    }
    const missing = { path: "/no/such/file", overrides: { config } };
    expect(said(await mcp.request("resumeConversation", missing))).toContain(refusedFor(key));
    expect(model.requests).toEqual([]);
    expect(mcp.codex.place.files()).toEqual({});
  });

  test("the server's own programs may be named again or taken away", async () => {
    await using model = await fakeModel([say("one"), say("two")]);
    const config = [...fullAccess, 'notify = ["touch", "notified"]'];
    await using mcp = startMcp({ model, config, configTables: own });
    const none = { notify: [], mcp_servers: null };
    expect(await doors["codex"]?.(mcp, { config: none })).toBe("one");
    expect(mcp.codex.place.files()).toEqual({});
    const same = { notify: ["touch", "notified"], "mcp_servers.own": { command: "sh", args: ["-c", "touch own"] } };
    expect(await doors["codex"]?.(mcp, { config: same })).toBe("two");
    await expect.poll(() => Object.keys(mcp.codex.place.files())).toEqual(expect.arrayContaining(["notified", "own"]));
  });

  test("allow_call_programs lets calls name programs", async () => {
    await using model = await fakeModel([say("one")]);
    await using mcp = startMcp({ model, config: fullAccess, args: ["-c", "mcp.allow_call_programs=true"] });
    expect(await doors["codex"]?.(mcp, { config: { notify: ["touch", "notified"] } })).toBe("one");
    await expect.poll(() => Object.keys(mcp.codex.place.files())).toContain("notified");
  });

  test("an instructions file below CODEX_HOME is not sent for a call, by whatever name", async () => {
    await using model = await fakeModel([say("one")]);
    const configTables = ['[profiles.own]\nexperimental_instructions_file = "prompt.md"'];
    const homeFiles = { "auth.json": '{"OPENAI_API_KEY":"sk-stored"}' };
    const setup = ({ home, work }: Workspace) => {
      symlinkSync(path.join(home, "auth.json"), path.join(work, "link.md"));
      symlinkSync(path.join(home, "auth.json"), path.join(work, "prompt.md"));
    };
    await using mcp = startMcp({
      model,
      config: fullAccess,
      configTables,
      homeFiles: {},
      setup: (place) => {
        writeFileSync(path.join(place.home, "auth.json"), homeFiles["auth.json"]);
        setup(place);
      },
    });
    const key = "experimental_instructions_file";
    const calls: readonly object[] = [
      { config: { [key]: path.join(mcp.codex.place.home, "auth.json") } },
      { config: { [key]: "link.md" } },
      { profile: "p", config: { "profiles.p": { [key]: "link.md" } } },
      { config: { profile: "p", profiles: { p: { [key]: "link.md" } } } },
    ];
    for (const call of calls) {
      expect(textOf(await mcp.call("codex", { prompt: "x", ...call }))).toContain(
        "failed to read experimental instructions file",
      );
    }
    expect(model.requests).toEqual([]);
    const own = { profile: "own", config: { hide_agent_reasoning: true } };
    expect(textOf(await mcp.call("codex", { prompt: "x", ...own }))).toBe("one"); // the server's configuration says so
  });

  test("no call sends one of our keys to another address, and a pinned server sends it no variable at all", async () => {
    await using model = await fakeModel([]);
    await using thief = await fakeModel([]);
    const provider = { env_key: "OUR_KEY", http_headers: { "X-Team": "team-secret" } };
    const env = { OUR_KEY: "sk-ours", OTHER: "other", OPENAI_API_KEY: "sk-openai" };
    await using open = startMcp({ model, config: fullAccess, provider, env });
    await using bounded = startMcp({ model, config: writable, provider, env, args: pinned.args });
    const { url: base_url } = thief;
    const e = { name: "e", base_url, wire_api: "responses" };
    const ours: readonly [object, string][] = [
      [{ "model_providers.mock.base_url": base_url }, "the variable OUR_KEY"],
      [{ "model_providers.mock": { ...e, env_key: "OUR_KEY" } }, "the variable OUR_KEY"],
      [
        { model_provider: "e", "model_providers.e": { ...e, env_key: "OPENAI_API_KEY" } },
        "the variable OPENAI_API_KEY",
      ],
      [{ model_provider: "e", "model_providers.e": { ...e, requires_openai_auth: true } }, "the OpenAI credential"],
      [{ "model_providers.mock.env_key": null, "model_providers.mock.base_url": base_url }, "a header or parameter"],
    ];
    const any: readonly [object, string][] = [
      ...ours,
      [{ "model_providers.mock.env_key": "OTHER" }, "the variable OTHER"],
      [{ model_provider: "e", model_providers: { e: { ...e, env_key: "OTHER" } } }, "the variable OTHER"],
      [{ model_provider: "e", "model_providers.e": { ...e, env_http_headers: { a: "OTHER" } } }, "the variable OTHER"],
      [{ profile: "p", "profiles.p.model_provider": "e", "model_providers.e": { ...e, env_key: "OTHER" } }, "OTHER"],
    ];
    for (const [mcp, wishes] of [
      [open, ours],
      [bounded, any],
    ] as const) {
      for (const [config, what] of wishes) {
        const answer = await doors["codex"]?.(mcp, { config });
        expect(answer).toMatch(/because model_providers\.(?:mock|e) would send .* to an address where the server's/);
        expect(answer).toContain(what);
      }
    }
    expect([...model.requests, ...thief.requests]).toEqual([]);
  });

  test("a call without pins may bring a provider with a variable of its own", async () => {
    await using model = await fakeModel([say("one")]);
    await using mcp = startMcp({ config: fullAccess, env: { OTHER: "other" } });
    const e = { name: "e", base_url: model.url, wire_api: "responses", env_key: "OTHER" };
    expect(await doors["codex"]?.(mcp, { config: { model_provider: "e", "model_providers.e": e } })).toBe("one");
    expect(model.requests[0]?.headers).toMatchObject({ authorization: "Bearer other" });
  });

  test("a provider of a call that needs no key of ours is accepted", async () => {
    await using model = await fakeModel([say("one")]);
    await using mcp = startMcp({ config: fullAccess });
    const local = {
      name: "local",
      base_url: model.url,
      wire_api: "responses",
      http_headers: { "X-Mine": "of-the-call" },
    };
    expect(await doors["codex"]?.(mcp, { config: { model_provider: "l", "model_providers.l": local } })).toBe("one");
    expect(model.requests[0]?.headers).toMatchObject({ "x-mine": "of-the-call" });
  });

  test("a call that takes a provider away does not show its key to commands", async () => {
    await using model = await fakeModel([callShell(["sh", "-c", "echo $OTHER_PASS > seen"]), say("one")]);
    const configTables = [
      '[model_providers.other]\nname = "o"\nbase_url = "http://127.0.0.1:9"\nenv_key = "OTHER_PASS"',
    ];
    await using mcp = startMcp({ model, config: fullAccess, configTables, env: { OTHER_PASS: "pass" } });
    expect(await doors["codex"]?.(mcp, { config: { "model_providers.other": null } })).toBe("one");
    expect(mcp.codex.place.files()).toEqual({ seen: "\n" });
  });

  test("a session below CODEX_HOME is not resumed by a call's experimental_resume", async () => {
    await using model = await fakeModel([say("one")]);
    await using mcp = startMcp({ model, config: fullAccess });
    await mcp.call("codex", { prompt: "x" });
    const sessions = path.join(mcp.codex.place.home, "sessions");
    const [name = ""] = readdirSync(sessions, { recursive: true, encoding: "utf8" }).filter((file) =>
      /jsonl$/.test(file),
    );
    const file = path.join(sessions, name);
    const before = readFileSync(file, "utf8");
    expect(await doors["codex"]?.(mcp, { config: { experimental_resume: file } })).toContain(
      "because experimental_resume names a file in the server's CODEX_HOME. Use the tool codex-reply or the method resumeConversation.",
    );
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  test("sandbox and approval policy are a call's to choose", async () => {
    await using model = await fakeModel([callShell(["touch", "made"]), say("one")]);
    await using mcp = startMcp({ model });
    expect(await doors["codex"]?.(mcp, { sandbox: "danger-full-access", approval: "never" })).toBe("one");
    expect(mcp.codex.place.files()).toEqual({ made: "" });
  });
});
