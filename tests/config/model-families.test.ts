import { expect, test } from "vitest";
import { contextWindowOf, modelFamily } from "../../src/config/model-families.ts";

const reasoning = {
  supportsReasoning: true,
  shellTool: "function",
  applyPatchTool: "none",
  supportsVerbosity: false,
};
const plain = { ...reasoning, supportsReasoning: false };
const openWeights = { ...plain, applyPatchTool: "function" };

test.each([
  ["o3", reasoning, 200_000],
  ["o3-pro", reasoning, null],
  ["o4-mini", reasoning, 200_000],
  ["o4", plain, null],
  ["codex-mini-latest", { ...reasoning, shellTool: "local_shell" }, 200_000],
  ["codex-next", reasoning, 272_000],
  ["gpt-4.1", plain, 1_047_576],
  ["gpt-4.1-mini", plain, null],
  ["gpt-4o", plain, 128_000],
  ["gpt-4o-2024-05-13", plain, 128_000],
  ["gpt-3.5-turbo", plain, 16_385],
  ["gpt-oss-20b", openWeights, 96_000],
  ["gpt-oss:20b", openWeights, null],
  ["openai/gpt-oss-120b", openWeights, null],
  ["gpt-5", { ...reasoning, supportsVerbosity: true }, 272_000],
  ["gpt-5-mini", { ...reasoning, supportsVerbosity: true }, null],
  ["mock-model", plain, null],
  ["", plain, null],
])("facts about the model %j", (model, family, contextWindow) => {
  expect(modelFamily(model)).toEqual(family);
  expect(contextWindowOf(model)).toBe(contextWindow);
});
