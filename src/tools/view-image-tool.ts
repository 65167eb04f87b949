import path from "node:path";
import * as z from "zod/mini";
import { placeCheckFor } from "../config/file-place.ts";
import { readImageFile } from "../lib/image-file.ts";
import { parseArguments } from "./parse-arguments.ts";
import { failure, type ToolContext, type ToolOutput } from "./tool.ts";

const ViewImageArguments = z.object({ path: z.string() });

export function runViewImageTool(argumentsText: string, context: ToolContext): ToolOutput {
  const parsed = parseArguments(argumentsText, ViewImageArguments);
  if (!parsed.ok) return failure(parsed.problem);
  const { cwd } = context.settings;
  const file = path.resolve(cwd, parsed.value.path);
  const image = readImageFile(file, placeCheckFor(file, { cwd, codexHome: context.config.codexHome }));
  if (!image.ok) return failure(`unable to locate image at ${file}: ${image.problem}`);
  context.addInput({
    type: "message",
    role: "user",
    content: [{ type: "input_image", image_url: image.dataUrl }],
  });
  return { text: "attached local image path", isSuccess: true };
}
