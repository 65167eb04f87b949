/** One step of applying a patch; whoever writes makes missing directories. */
export type FileOperation =
  /** `mode` is given when the file must take over another's permissions. */
  | { readonly type: "write"; readonly path: string; readonly content: string; readonly mode?: number }
  | { readonly type: "delete"; readonly path: string };
