import { describe, expect, test } from "vitest";
import { callShell, callTool, fakeModel, say } from "../support/fake-model.ts";
import { eventsOf, type McpSession, startMcp, textOf, typesOf, untrusted } from "../support/mcp-session.ts";
import { inputOf } from "../support/requests.ts";

/** What a host shows beside the message: lines on what is asked, then what the choices mean. */
const choicesFor = (...lines: readonly string[]) => {
  const meaning = "Approve once, approve the same for the rest of the session, deny, or deny and stop the turn";
  return {
    type: "object",
    properties: {
      decision: {
        type: "string",
        title: "Decision",
        description: [...lines, meaning].join("\n"),
        enum: ["approved", "approved_for_session", "denied", "abort"],
        enumNames: ["Approve", "Approve for this session", "Deny", "Abort"],
      },
    },
  };
};

async function start(options: Parameters<typeof startMcp>[0], capabilities?: object): Promise<McpSession> {
  const mcp = startMcp({ config: untrusted, ...options });
  await mcp.initialize(capabilities);
  return mcp;
}

describe("questions about commands", () => {
  test("the members of the question, ids that count, and the command once it is approved", async () => {
    await using model = await fakeModel([callShell(["touch", "x"]), callShell(["touch", "y"]), say("done")]);
    await using mcp = await start({ model });
    const call = mcp.call("codex", { prompt: "hi" }, { id: "r-3" });
    const cwd = mcp.codex.place.work;
    const first = await mcp.asked("elicitation/create");
    expect(first).toEqual({
      id: 0,
      jsonrpc: "2.0",
      method: "elicitation/create",
      params: {
        message: `Allow Codex to run \`touch x\` in \`${cwd}\`?`,
        requestedSchema: choicesFor(),
        codex_elicitation: "exec-approval",
        codex_mcp_tool_call_id: "r-3",
        codex_event_id: "r-3",
        codex_call_id: "call_1",
        codex_command: ["touch", "x"],
        codex_cwd: cwd,
      },
    });
    const before = mcp.messages[mcp.messages.indexOf(first) - 1];
    expect(before?.params.msg).toMatchObject({ type: "exec_approval_request", call_id: "call_1" });
    mcp.answer(first, { decision: "approved" });
    const second = await mcp.asked("elicitation/create");
    expect(second.id).toBe(1);
    expect(second.params.codex_call_id).toBe("call_2");
    mcp.answer(second, { decision: "approved" });
    expect(textOf(await call)).toBe("done");
    const begun = eventsOf(mcp, "r-3").flatMap(({ msg }) => (msg.type === "exec_command_begin" ? [msg.call_id] : []));
    expect(begun).toEqual(["call_1", "call_2"]);
    expect(Object.keys(mcp.codex.place.files())).toEqual(["x", "y"]);
  });

  test("with a switch the schema is empty, as it was", async () => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("done")]);
    await using mcp = await start({ model, args: ["-c", "mcp.approval_schema=empty"] });
    const call = mcp.call("codex", { prompt: "hi" });
    const question = await mcp.asked("elicitation/create");
    expect(question.params.requestedSchema).toEqual({ type: "object", properties: {} });
    mcp.answer(question, { decision: "denied" });
    await call;
  });

  const rejected = "exec command rejected by user";

  test.each([
    [93, { decision: "denied" }, false],
    [96, {}, false],
    [96, null, false],
    [96, "yes", false],
    [96, { decision: "Approved" }, false],
    [97, { action: "accept", content: {} }, true],
    [97, { action: "accept" }, true],
    [98, { action: "accept", content: { decision: "approved" } }, true],
    [98, { action: "accept", content: { decision: "denied" } }, false],
    [99, { action: "decline" }, false],
    [100, { action: "accept", content: {}, decision: "approved" }, true],
    [100, { action: "accept", content: {}, decision: "denied" }, false],
  ])("%i: the answer %j", async (_, answer, isApproved) => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("done")]);
    await using mcp = await start({ model });
    const call = mcp.call("codex", { prompt: "hi" }, { id: 1 });
    mcp.answer(await mcp.asked("elicitation/create"), answer);
    expect(textOf(await call)).toBe("done");
    expect(Object.keys(mcp.codex.place.files())).toEqual(isApproved ? ["x"] : []);
    expect(typesOf(eventsOf(mcp, 1)).includes("exec_command_begin")).toBe(isApproved);
    if (!isApproved) expect(inputOf(model, 2).at(-1)?.output).toBe(rejected);
  });

  test.each([
    [94, { decision: "approved_for_session" }],
    [98, { action: "accept", content: { decision: "approved_for_session" } }],
  ])("%i: what is approved for the session is asked once", async (_, answer) => {
    const touch = callShell(["touch", "x"]);
    await using model = await fakeModel([touch, touch, say("one"), touch, say("two")]);
    await using mcp = await start({ model });
    const call = mcp.call("codex", { prompt: "hi" });
    mcp.answer(await mcp.asked("elicitation/create"), answer);
    const { conversationId } = (await call).result.structuredContent;
    expect(textOf(await mcp.call("codex-reply", { conversationId, prompt: "again" }))).toBe("two");
    expect(mcp.messages.filter(({ method }) => method === "elicitation/create")).toHaveLength(1);
  });

  test.each([
    [95, { decision: "abort" }],
    [99, { action: "cancel" }],
  ])("%i: %j ends the turn, and the call is answered", async (_, answer) => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("again")]);
    await using mcp = await start({ model });
    const call = mcp.call("codex", { prompt: "hi" }, { id: 1 });
    mcp.answer(await mcp.asked("elicitation/create"), answer);
    const { result } = await call;
    expect(result).toMatchObject({ isError: true, error: " Turn interrupted" });
    expect(typesOf(eventsOf(mcp, 1)).at(-1)).toBe("turn_aborted");
    const { conversationId } = result.structuredContent;
    expect(textOf(await mcp.call("codex-reply", { conversationId, prompt: "again" }))).toBe("again");
  });

  test("an error is a denial, and the model is told why", async () => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("done")]);
    await using mcp = await start({ model });
    const call = mcp.call("codex", { prompt: "hi" });
    const { id } = await mcp.asked("elicitation/create");
    mcp.send({ id, error: { code: -32601, message: "Method not found" } });
    expect(textOf(await call)).toBe("done");
    expect(inputOf(model, 2).at(-1)?.output).toBe(
      `${rejected}: the client answered the question with an error: Method not found`,
    );
  });

  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  test.each([
    ["an error without words", '"error":{"code":{"toString":1},"message":{"toString":1}}', '{"toString":1}'],
    ["an error with a code alone", '"error":{"code":-32601,"message":null}', "-32601"],
    ["an error with an odd code alone", '"error":{"code":{"toString":1}}', '{"toString":1}'],
    ["a result without an end", `"result":{"decision":"approved","x":${deep}}`, "nested more than 500 levels deep"],
  ])("%s is a denial too", async (_, answer, reason) => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("done")]);
    await using mcp = await start({ model });
    const call = mcp.call("codex", { prompt: "hi" });
    await mcp.asked("elicitation/create");
    mcp.write(`{"id":0,${answer}}\n`);
    expect(textOf(await call)).toBe("done");
    expect(inputOf(model, 2).at(-1)?.output).toBe(
      `${rejected}: the client answered the question with an error: ${reason}`,
    );
    expect(mcp.codex.place.files()).toEqual({});
  });

  test("an answer counts once, and with the type of its id", async () => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("done")]);
    await using mcp = await start({ model });
    const call = mcp.call("codex", { prompt: "hi" });
    await mcp.asked("elicitation/create");
    mcp.write('{"jsonrpc":"2.0","id":"0","result":{"decision":"approved"}}\n');
    await mcp.request("ping");
    expect(mcp.codex.place.files()).toEqual({});
    mcp.write(
      '{"jsonrpc":"2.0","id":0,"result":{"decision":"denied"}}\n'.concat(
        '{"jsonrpc":"2.0","id":0,"result":{"decision":"approved"}}\n',
      ),
    );
    expect(textOf(await call)).toBe("done");
    expect(mcp.codex.place.files()).toEqual({});
  });

  test.each([{}, { elicitation: { url: {} } }])(
    "a client with the capabilities %j is not asked: denied at once, and the model is told why",
    async (capabilities) => {
      await using model = await fakeModel([callShell(["touch", "x"]), say("done")]);
      await using mcp = await start({ model }, capabilities);
      expect(textOf(await mcp.call("codex", { prompt: "hi" }, { id: 1 }))).toBe("done");
      expect(mcp.messages.some(({ method }) => method === "elicitation/create")).toBe(false);
      expect(typesOf(eventsOf(mcp, 1))).toContain("exec_approval_request");
      expect(inputOf(model, 2).at(-1)?.output).toBe(
        `${rejected}: nobody could be asked, because the client does not support elicitation`,
      );
    },
  );

  test("whoever stays silent past the limit has denied, the question is withdrawn", async () => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("done")]);
    await using mcp = await start({ model, args: ["--approval-timeout", "0.2"] });
    const call = mcp.call("codex", { prompt: "hi" });
    const { id } = await mcp.asked("elicitation/create");
    expect(textOf(await call)).toBe("done");
    expect(inputOf(model, 2).at(-1)?.output).toBe(`${rejected}: nobody answered within 0.2 seconds`);
    expect(await mcp.next(({ method }) => method === "notifications/cancelled")).toMatchObject({
      params: { requestId: id },
    });
  });

  test("a command that only reads is not asked for", async () => {
    await using model = await fakeModel([callShell(["ls"]), say("done")]);
    await using mcp = await start({ model });
    expect(textOf(await mcp.call("codex", { prompt: "hi" }))).toBe("done");
    expect(mcp.messages.some(({ method }) => method === "elicitation/create")).toBe(false);
  });

  test.each([
    [106, ["touch", "", "a b", "it's", "$x", "a\\b", "^", "é"], `touch '' 'a b' "it's" '$x' "a\\\\b" '^' 'é'`],
    [
      106,
      ["touch made.txt && echo \"it's $HOME\" > 'a b'; true"],
      `"touch made.txt && echo \\"it's "'$HOME" > '"'a b'; true"`,
    ],
    [106, ["touch", "gpj.\u202egnp", "a\u200bb"], "touch 'gpj.\\u{202e}gnp' 'a\\u{200b}b'"],
    [
      106,
      ["bash", "-lc", "rm -rf x\recho safe\u001b[2K\b\u009b"],
      "bash -lc 'rm -rf x\\x0decho safe\\x1b[2K\\x08\\x9b'",
    ],
    [106, ["touch", "a\u00a0b\u3000c\u2800d\ufff9e"], "touch 'a\\u{a0}b\\u{3000}c\\u{2800}d\\u{fff9}e'"],
    [106, ["bash", "-c", "a\n\tb"], "bash -c 'a\n\tb'"],
    [107, ["touch", "\u001b\0"], "touch \\x1b\0"],
    [107, ["touch", "a b\0c"], "touch a b\0c"],
  ])("%i: %j is quoted in the message", async (_, command, quoted) => {
    await using model = await fakeModel([callShell(command), say("done")]);
    await using mcp = await start({ model });
    const call = mcp.call("codex", { prompt: "hi" });
    const question = await mcp.asked("elicitation/create");
    expect(question.params.message).toBe(`Allow Codex to run \`${quoted}\` in \`${mcp.codex.place.work}\`?`);
    expect(question.params.codex_command).toEqual(command);
    mcp.answer(question, { decision: "denied" });
    await call;
  });

  test("the folder is the one the model has chosen", async () => {
    await using model = await fakeModel([callShell(["touch", "x"], { args: { workdir: "sub dir" } }), say("done")]);
    await using mcp = await start({ model, files: { "sub dir/keep": "" } });
    const call = mcp.call("codex", { prompt: "hi" });
    const question = await mcp.asked("elicitation/create");
    const cwd = `${mcp.codex.place.work}/sub dir`;
    expect(question.params).toMatchObject({ codex_cwd: cwd, message: `Allow Codex to run \`touch x\` in \`${cwd}\`?` });
    mcp.answer(question, { decision: "approved" });
    await call;
    expect(mcp.codex.place.files()).toHaveProperty(["sub dir/x"]);
  });

  test("what the model calls its folder stays on its line and in its place", async () => {
    const workdir = "a\n` in `/safe`?\u001b[2K\u00a0";
    await using model = await fakeModel([callShell(["touch", "x"], { args: { workdir } }), say("done")]);
    await using mcp = await start({ model });
    const call = mcp.call("codex", { prompt: "hi" });
    const question = await mcp.asked("elicitation/create");
    const cwd = `${mcp.codex.place.work}/${workdir}`;
    const shown = `${mcp.codex.place.work}/a\\n\\x60 in \\x60/safe\\x60?\\x1b[2K\\u{a0}`;
    expect(question.params).toMatchObject({
      codex_cwd: cwd,
      message: `Allow Codex to run \`touch x\` in \`${shown}\`?`,
    });
    mcp.answer(question, { decision: "denied" });
    await call;
  });

  test("a command that the sandbox has stopped is asked for with the reason", async () => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("done")]);
    const config = ['sandbox_mode = "read-only"', 'approval_policy = "on-failure"'];
    await using mcp = await start({ model, config });
    const call = mcp.call("codex", { prompt: "hi" }, { id: 1 });
    const question = await mcp.asked("elicitation/create");
    const reason = "command failed; retry without sandbox?";
    expect(question.params).toMatchObject({ codex_call_id: "call_1", codex_reason: reason });
    mcp.answer(question, { decision: "approved" });
    await call;
    const events = eventsOf(mcp, 1).map(({ msg }) => msg);
    expect(events.find(({ type }) => type === "exec_approval_request")).toMatchObject({ reason });
    expect(events.filter(({ type }) => type === "exec_command_begin")).toHaveLength(2);
    expect(mcp.codex.place.files()).toEqual({ x: "" });
  });
});

describe("questions about patches", () => {
  const patch = [
    "*** Begin Patch",
    "*** Add File: new.txt",
    "+hi",
    "*** Update File: base.txt",
    "@@",
    "-base",
    "+changed",
    "*** Delete File: old.txt",
    "*** Update File: from.txt",
    "*** Move to: to.txt",
    "@@",
    "-move",
    "+moved",
    "*** End Patch",
    "",
  ].join("\n");
  const files = { "base.txt": "base\n", "old.txt": "old\n", "from.txt": "move\n" };

  test("all changes are shown, and approved they are made", async () => {
    await using model = await fakeModel([callTool("apply_patch", { input: patch }), say("done")]);
    await using mcp = await start({ model, files });
    const call = mcp.call("codex", { prompt: "hi" }, { id: 28 });
    const { work } = mcp.codex.place;
    const question = await mcp.asked("elicitation/create");
    expect(question.params).toEqual({
      message: "Allow Codex to apply proposed code changes?",
      requestedSchema: choicesFor(
        `add ${work}/new.txt`,
        `change ${work}/base.txt`,
        `delete ${work}/old.txt`,
        `change ${work}/from.txt and move it to ${work}/to.txt`,
      ),
      codex_elicitation: "patch-approval",
      codex_mcp_tool_call_id: "28",
      codex_event_id: "28",
      codex_call_id: "call_1",
      codex_changes: {
        [`${work}/new.txt`]: { add: { content: "hi\n" } },
        [`${work}/base.txt`]: { update: { unified_diff: "@@ -1 +1 @@\n-base\n+changed\n", move_path: null } },
        [`${work}/old.txt`]: { delete: { content: "old\n" } },
        [`${work}/from.txt`]: {
          update: { unified_diff: "@@ -1 +1 @@\n-move\n+moved\n", move_path: `${work}/to.txt` },
        },
      },
    });
    mcp.answer(question, { decision: "approved" });
    await call;
    const types = typesOf(eventsOf(mcp, 28));
    for (const type of ["patch_apply_begin", "patch_apply_end", "turn_diff"]) expect(types).toContain(type);
    expect(mcp.codex.place.files()).toEqual({ "new.txt": "hi\n", "base.txt": "changed\n", "to.txt": "moved\n" });
  });

  test.each([{ decision: "denied" }, { decision: "what" }])("%j leaves the files alone", async (answer) => {
    await using model = await fakeModel([callTool("apply_patch", { input: patch }), say("done")]);
    await using mcp = await start({ model, files });
    const call = mcp.call("codex", { prompt: "hi" });
    mcp.answer(await mcp.asked("elicitation/create"), answer);
    await call;
    expect(inputOf(model, 2).at(-1)?.output).toBe("patch rejected by user");
    expect(mcp.codex.place.files()).toEqual(files);
  });

  test("5.3: one that was to be made unasked and that the sandbox stopped is asked for, as a patch, with the reason", async () => {
    const add = "*** Begin Patch\n*** Add File: new.txt\n+hi\n*** End Patch\n";
    await using model = await fakeModel([callTool("apply_patch", { input: add }), say("done")]);
    const config = ['sandbox_mode = "read-only"', 'approval_policy = "on-failure"'];
    await using mcp = await start({ model, config });
    const call = mcp.call("codex", { prompt: "hi" }, { id: 1 });
    const question = await mcp.asked("elicitation/create");
    const reason = "command failed; retry without sandbox?";
    const changes = { [`${mcp.codex.place.work}/new.txt`]: { add: { content: "hi\n" } } };
    expect(question.params).toEqual({
      message: `${reason}\nAllow Codex to apply proposed code changes?`,
      requestedSchema: choicesFor(`add ${mcp.codex.place.work}/new.txt`),
      codex_elicitation: "patch-approval",
      codex_mcp_tool_call_id: "1",
      codex_event_id: "1",
      codex_call_id: "call_1",
      codex_reason: reason,
      codex_changes: changes,
    });
    expect(mcp.codex.place.files()).toEqual({});
    mcp.answer(question, { decision: "approved" });
    await call;
    const told = eventsOf(mcp, 1).flatMap(({ msg }) => {
      if (msg.type === "patch_apply_begin") return [msg.auto_approved];
      return msg.type === "patch_apply_end" ? [msg.success] : [];
    });
    expect(told).toEqual([true, false, false, true]);
    expect(mcp.codex.place.files()).toEqual({ "new.txt": "hi\n" });
  });

  test("two conversations wait at once, and each goes on with its own answer", async () => {
    const step = ({ body }: { readonly body: unknown }) =>
      callShell(["touch", JSON.stringify(body).includes("prompt-a") ? "a" : "b"]);
    await using model = await fakeModel([step, step, say("done"), say("done")]);
    await using mcp = await start({ model });
    const calls = ["a", "b"].map((name) => mcp.call("codex", { prompt: `prompt-${name}` }, { id: name }));
    const questions = [await mcp.asked("elicitation/create"), await mcp.asked("elicitation/create")];
    for (const question of questions.reverse()) {
      mcp.answer(question, { decision: question.params.codex_command[1] === "a" ? "approved" : "denied" });
    }
    await Promise.all(calls);
    expect(Object.keys(mcp.codex.place.files())).toEqual(["a"]);
  });
});
