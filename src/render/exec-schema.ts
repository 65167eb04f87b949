import type * as z from "zod/mini";
import { type ProtoSchema, schemaOfLines } from "../protocol/proto-schema.ts";
import { jsonSchemas } from "./json-line-schema.ts";
import { threadSchemas } from "./thread-line-schema.ts";

const named = { ...jsonSchemas, ...threadSchemas };

type Guides = {
  readonly [Name in keyof typeof named]?: {
    readonly about?: string;
    readonly fields?: { readonly [Field in keyof z.output<(typeof named)[Name]>]?: string };
  };
};

const guides: Guides = {
  JsonLine: { about: "A line of `--json`" },
  SettingsLine: {
    about: "The first line",
    fields: {
      "reasoning effort": "Like the summaries: for a model that reasons, on the Responses wire",
      "session id": "What `codex exec resume` takes",
    },
  },
  PromptLine: { about: "The second line", fields: { prompt: "As it is sent, with what was piped in" } },
  EventLine: { about: "Each other line", fields: { id: 'That of the run\'s task, or "" when it is not of the task' } },
  PrintedEvent: {
    about: "What `codex proto` tells, without deltas and without the beginning and end of session and task",
  },
  ThreadLine: { about: "A line of `--experimental-json`, as current SDKs read it" },
  TurnCompleted: {
    fields: {
      usage: "Of the whole thread so far, resumed turns included",
      last_usage: "Of the last request alone; absent when the provider told nothing",
    },
  },
  ThreadUsage: { fields: { cache_write_input_tokens: "Always 0; for SDKs that ask for it" } },
  TurnError: {
    fields: {
      detail: "What the server or the system said, where the message does not hold it",
      code: "Which limit of the user's ended the turn",
    },
  },
  CommandExecutionItem: {
    fields: {
      aggregated_output: "Both streams in the order of arrival; empty while it runs",
      exit_code: "Null while it runs",
    },
  },
  WebSearchItem: { fields: { query: "Empty until it has searched" } },
};

/** JSON Schema of every line that `codex exec` prints for programs. */
export function execSchema(): ProtoSchema {
  return schemaOfLines({
    title: "codex exec",
    description:
      "A line of --json is a JsonLine, a line of --experimental-json is a ThreadLine. Fields are only ever added.",
    lines: [jsonSchemas.JsonLine, threadSchemas.ThreadLine],
    named,
    guides,
  });
}
