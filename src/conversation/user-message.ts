import path from "node:path";
import { placeCheckFor } from "../config/file-place.ts";
import { readImageFile } from "../lib/image-file.ts";
import type { UserMessage } from "../protocol/event.ts";
import type { ContentPart, MessageItem } from "../protocol/response-item.ts";
import type { InputItem } from "../protocol/submission.ts";

/** A client's input as the model gets it; what could not be read is named in `warnings` and left out. */
export interface UserInput {
  readonly item: MessageItem;
  /** The same for rollouts and `initial_messages`; undefined for what a tool put in. */
  readonly event: UserMessage | undefined;
  readonly warnings: readonly string[];
}

export function userInput(
  items: readonly InputItem[],
  places: { readonly cwd: string; readonly codexHome: string },
): UserInput {
  const content: ContentPart[] = [];
  const texts: string[] = [];
  const images: string[] = [];
  const warnings: string[] = [];
  for (const item of items) {
    switch (item.type) {
      case "text":
        content.push({ type: "input_text", text: item.text });
        texts.push(item.text);
        break;
      case "image":
        content.push({ type: "input_image", image_url: item.image_url });
        images.push(item.image_url);
        break;
      case "local_image": {
        const file = path.resolve(places.cwd, item.path);
        const image = readImageFile(file, placeCheckFor(file, places));
        if (image.ok) {
          content.push({ type: "input_image", image_url: image.dataUrl });
          images.push(image.dataUrl);
        } else warnings.push(`Cannot read image "${item.path}": ${image.problem}`);
        break;
      }
      default:
        item satisfies never;
    }
  }
  return {
    item: { type: "message", role: "user", content },
    event: {
      type: "user_message",
      message: texts.join(""),
      kind: "plain",
      ...(images.length > 0 ? { images } : {}),
    },
    warnings,
  };
}
