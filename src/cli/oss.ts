import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { StringDecoder } from "node:string_decoder";
import type { Config } from "../config/config.ts";
import { explainSystemError, UserError } from "../lib/errors.ts";
import { isRecord, parseJson } from "../lib/parse-json.ts";

const installUrl = "https://github.com/ollama/ollama";

/** How long the server may take for an answer that it has at hand. */
const defaultAnswerMs = 5_000;
/** Percentages are told in steps, so that the log of a large model stays short. */
const percentStep = 5;
