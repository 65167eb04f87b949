// What each message is for, with an example: for the JSON Schema, the declarations and the page of the package. Nothing
// of it is in the program.
import type { EventMsg } from "./event.ts";
import type { ClientSubmission } from "./submission-schema.ts";

interface Guide<Message> {
  readonly about: string;
  readonly example: Message;
  readonly fields?: { readonly [Field in keyof Message]?: string };
}

type Guides<Message extends { readonly type: string }> = {
  readonly [Type in Message["type"]]: Guide<Extract<Message, { readonly type: Type }>>;
};

const decision = "`abort` denies and interrupts the task";
const question = "The task's submission, or the `call_id` of the question";

export const submissionGuide: Guides<ClientSubmission["op"]> = {
  user_input: {
    about:
      "Starts a task with the session's settings. While a task runs, it joins that task's next request and has no events of its own.",
    example: { type: "user_input", items: [{ type: "text", text: "Why does the build fail?" }] },
  },
  user_turn: {
    about:
      "The same with settings that hold for this task alone. While a task runs, it joins that task and the settings are not used.",
    fields: { cwd: "Absolute", effort: "null or left out: the session's" },
    example: {
      type: "user_turn",
      items: [
        { type: "text", text: "What is in this picture?" },
        { type: "local_image", path: "/w/shot.png" },
      ],
      cwd: "/w",
      approval_policy: "on-request",
      sandbox_policy: {
        mode: "workspace-write",
        writable_roots: [],
        network_access: false,
        exclude_tmpdir_env_var: false,
        exclude_slash_tmp: false,
      },
      model: "gpt-5",
      effort: "high",
      summary: "auto",
    },
  },
  override_turn_context: {
    about: "Changes the session's settings from the next task on; what is left out, or null, stays. Has no events.",
    fields: { cwd: "Absolute" },
    example: { type: "override_turn_context", approval_policy: "never", effort: "low" },
  },
  interrupt: {
    about:
      "Ends the running task with `turn_aborted`; its command and everything that command started die. Without a task nothing happens.",
    example: { type: "interrupt" },
  },
  exec_approval: {
    about:
      "Answers an `exec_approval_request`. With `approved` the command runs once without the sandbox, with `approved_for_session` also every later time in that folder and under that policy. An answer that nobody waits for has no effect.",
    fields: { id: question, decision, reason: "Why it was denied, for the model" },
    example: { type: "exec_approval", id: "1", decision: "approved" },
  },
  patch_approval: {
    about: "Answers an `apply_patch_approval_request`.",
    fields: { id: question, decision, reason: "Why it was denied, for the model" },
    example: { type: "patch_approval", id: "call_7", decision: "denied" },
  },
  compact: {
    about:
      "Replaces the conversation by a summary that the model writes; a task of its own, after the running one. Its only `agent_message` says `Compact task completed`.",
    example: { type: "compact" },
  },
  get_history: {
    about: "Asks what the next request to the model would contain: `conversation_history`.",
    example: { type: "get_history" },
  },
  list_mcp_tools: {
    about: "Asks for the tools of the configured MCP servers: `mcp_list_tools_response`.",
    example: { type: "list_mcp_tools" },
  },
  list_custom_prompts: {
    about: "Asks for the prompts in `$CODEX_HOME/prompts`: `list_custom_prompts_response`.",
    example: { type: "list_custom_prompts" },
  },
  add_to_history: {
    about:
      "Appends a text to the message history of all sessions, `$CODEX_HOME/history.jsonl`, unless `history.persistence` is `none`. Has no events.",
    example: { type: "add_to_history", text: "Why does the build fail?" },
  },
  get_history_entry_request: {
    about:
      "Asks for one entry of the message history: `get_history_entry_response`. There is no `entry` behind the last one, and none when `log_id` is not the file's, as 0 never is.",
    fields: {
      offset: "From 0",
      log_id:
        "`history_log_id` of `session_configured`. If that is 0, there was no file yet: its id is the inode number that `history.jsonl` has since the first `add_to_history`",
    },
    example: { type: "get_history_entry_request", offset: 0, log_id: 1311 },
  },
  shutdown: {
    about: "Ends the program with status 0: a running task is interrupted, and `shutdown_complete` is the last event.",
    example: { type: "shutdown" },
  },
  configure_session: {
    about:
      "What the first releases wanted first. It has no effect but a `background_event` that says so; other fields are ignored.",
    example: { type: "configure_session" },
  },
};

const usage = {
  input_tokens: 2_900,
  cached_input_tokens: 2_100,
  output_tokens: 120,
  reasoning_output_tokens: 64,
  total_tokens: 3_020,
};
const command = ["bash", "-lc", "npm test"];
const changes = { "/w/notes.txt": { add: { content: "hello\n" } } };
const invocation = { server: "docs", tool: "search", arguments: { query: "retries" } };
const duration = { secs: 1, nanos: 250_000_000 };

export const eventGuide: Guides<EventMsg> = {
  session_configured: {
    about: "The first event; its id is empty.",
    fields: {
      session_id: "Also the conversation's id",
      history_log_id: "Inode number of `history.jsonl`, 0 without one",
      history_entry_count: "Lines of that file",
      initial_messages: "What a resumed session holds already",
      rollout_path: "The session file, empty without one",
    },
    example: {
      type: "session_configured",
      session_id: "67e55044-10b1-426f-9247-bb680e5fe0c8",
      model: "gpt-5",
      history_log_id: 1311,
      history_entry_count: 2,
      rollout_path:
        "/home/me/.codex/sessions/2025/09/10/rollout-2025-09-10T08-48-51-67e55044-10b1-426f-9247-bb680e5fe0c8.jsonl",
    },
  },
  task_started: {
    about: "Comes before every other event of a task.",
    fields: { model_context_window: "Tokens; null when not known" },
    example: { type: "task_started", model_context_window: 272_000 },
  },
  task_complete: {
    about: "The last event of a task that was not interrupted; after an `error` the task has failed.",
    fields: { last_agent_message: "The last text of the last answer" },
    example: { type: "task_complete", last_agent_message: "The tests pass now." },
  },
  turn_aborted: {
    about: "The last event of a task that was.",
    example: { type: "turn_aborted", reason: "interrupted" },
  },
  error: {
    about:
      "A task has failed, a submission could not be served (then it has that one's id), or, with an empty id, something that belongs to none.",
    fields: {
      code: "Set when a limit of the user was reached",
      detail: "What the server or the system said",
    },
    example: {
      type: "error",
      message: "error sending request for url (http://127.0.0.1:9/v1/responses)",
      detail: "connect ECONNREFUSED 127.0.0.1:9",
    },
  },
  stream_error: {
    about: "The model's answer broke off; it is asked again.",
    example: {
      type: "stream_error",
      message:
        "stream error: stream disconnected before completion: stream closed before response.completed; retrying 1/5 in 204ms…",
    },
  },
  background_event: {
    about: "A remark for people.",
    example: { type: "background_event", message: "retrying command without sandbox" },
  },
  user_message: {
    about: "Only in `initial_messages` and session files: what the user said.",
    example: { type: "user_message", message: "Why does the build fail?", kind: "plain" },
  },
  agent_message: {
    about: "A whole text of the model, behind its deltas.",
    example: { type: "agent_message", message: "The tests pass now." },
  },
  agent_message_delta: {
    about: "A piece of it, as it comes.",
    example: { type: "agent_message_delta", delta: "The tests" },
  },
  agent_reasoning: {
    about: "A whole part of the summary of its reasoning, behind its deltas.",
    example: { type: "agent_reasoning", text: "**Reading the log**" },
  },
  agent_reasoning_delta: { about: "A piece of it.", example: { type: "agent_reasoning_delta", delta: "**Reading" } },
  agent_reasoning_section_break: {
    about: "The next delta begins a new part.",
    example: { type: "agent_reasoning_section_break" },
  },
  agent_reasoning_raw_content: {
    about: "The reasoning itself, only with `show_raw_agent_reasoning`.",
    example: { type: "agent_reasoning_raw_content", text: "The log ends with a stack trace, so" },
  },
  agent_reasoning_raw_content_delta: {
    about: "A piece of it.",
    example: { type: "agent_reasoning_raw_content_delta", delta: "The log" },
  },
  token_count: {
    about: "After each answer of the model.",
    fields: { info: "null when the server has not told any usage yet" },
    example: {
      type: "token_count",
      info: { total_token_usage: usage, last_token_usage: usage, model_context_window: 272_000 },
    },
  },
  exec_approval_request: {
    about: "May this command run without the sandbox? The task waits for an `exec_approval`.",
    fields: { reason: "The model's, or that the command failed in the sandbox" },
    example: {
      type: "exec_approval_request",
      call_id: "call_1",
      command,
      cwd: "/w",
      reason: "It needs the network.",
    },
  },
  exec_command_begin: {
    about: "A command starts.",
    fields: { parsed_cmd: "What it does, for display only" },
    example: {
      type: "exec_command_begin",
      call_id: "call_1",
      command,
      cwd: "/w",
      parsed_cmd: [{ type: "unknown", cmd: "npm test" }],
    },
  },
  exec_command_output_delta: {
    about: "What it has printed; the first 10,000 pieces of each stream.",
    fields: { chunk: "Base64, at most 8192 bytes before encoding" },
    example: { type: "exec_command_output_delta", call_id: "call_1", stream: "stdout", chunk: "b2sK" },
  },
  exec_command_end: {
    about: "It has ended; not told of a command that was interrupted.",
    fields: {
      stdout: "Above 4 MiB its beginning and its end, like the others",
      aggregated_output: "Both streams in the order of arrival",
      exit_code: "124 after a time-out, -1 when it could not be started",
      formatted_output: "What the model is shown",
    },
    example: {
      type: "exec_command_end",
      call_id: "call_1",
      stdout: "ok\n",
      stderr: "",
      aggregated_output: "ok\n",
      exit_code: 0,
      duration,
      formatted_output: "ok\n",
    },
  },
  apply_patch_approval_request: {
    about: "May these files be changed? The task waits for a `patch_approval`.",
    fields: { changes: "By absolute path", grant_root: "A folder that is to be writable from then on" },
    example: { type: "apply_patch_approval_request", call_id: "call_7", changes },
  },
  patch_apply_begin: {
    about: "A patch is about to be applied.",
    fields: { auto_approved: "Nobody was asked" },
    example: { type: "patch_apply_begin", call_id: "call_7", auto_approved: true, changes },
  },
  patch_apply_end: {
    about: "It has been, or could not be.",
    example: {
      type: "patch_apply_end",
      call_id: "call_7",
      stdout: "Success. Updated the following files:\nA notes.txt\n",
      stderr: "",
      success: true,
    },
  },
  turn_diff: {
    about:
      "All that the task has changed so far, after each patch, and at the end if commands changed those files since.",
    example: {
      type: "turn_diff",
      unified_diff:
        "diff --git a/notes.txt b/notes.txt\nnew file mode 100644\nindex 0000000000000000000000000000000000000000..ce013625030ba8dba906f756967f9e9ca394464a\n--- /dev/null\n+++ b/notes.txt\n@@ -0,0 +1 @@\n+hello\n",
    },
  },
  plan_update: {
    about: "The model's plan, whole each time.",
    example: { type: "plan_update", explanation: null, plan: [{ step: "Run the tests", status: "in_progress" }] },
  },
  mcp_tool_call_begin: {
    about: "A tool of an MCP server is called.",
    example: { type: "mcp_tool_call_begin", call_id: "call_9", invocation },
  },
  mcp_tool_call_end: {
    about: "It has answered, or could not be called.",
    example: {
      type: "mcp_tool_call_end",
      call_id: "call_9",
      invocation,
      duration,
      result: { Ok: { content: [{ type: "text", text: "Three pages." }] } },
    },
  },
  web_search_begin: {
    about: "The provider searches the web.",
    example: { type: "web_search_begin", call_id: "ws_1" },
  },
  web_search_end: {
    about: "It has searched.",
    example: { type: "web_search_end", call_id: "ws_1", query: "node 20 stdin pipe" },
  },
  conversation_history: {
    about: "The answer to `get_history`.",
    example: {
      type: "conversation_history",
      conversation_id: "67e55044-10b1-426f-9247-bb680e5fe0c8",
      entries: [{ type: "message", role: "user", content: [{ type: "input_text", text: "Why does the build fail?" }] }],
    },
  },
  get_history_entry_response: {
    about: "The answer to `get_history_entry_request`.",
    fields: { entry: "Left out when there is none at that place of that file" },
    example: {
      type: "get_history_entry_response",
      offset: 0,
      log_id: 1311,
      entry: {
        conversation_id: "67e55044-10b1-426f-9247-bb680e5fe0c8",
        ts: 1_757_494_131,
        text: "Why does the build fail?",
      },
    },
  },
  mcp_list_tools_response: {
    about: "The answer to `list_mcp_tools`.",
    fields: { tools: "By the name that the model sees; each as its server describes it" },
    example: {
      type: "mcp_list_tools_response",
      tools: { docs__search: { name: "search", description: "Searches.", inputSchema: { type: "object" } } },
    },
  },
  list_custom_prompts_response: {
    about: "The answer to `list_custom_prompts`.",
    example: {
      type: "list_custom_prompts_response",
      custom_prompts: [{ name: "review", path: "/home/me/.codex/prompts/review.md", content: "Review my changes.\n" }],
    },
  },
  shutdown_complete: { about: "The last event of all.", example: { type: "shutdown_complete" } },
};
