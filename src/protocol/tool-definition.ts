/** A tool as it is offered to the model, spelled as on the Responses wire. */
export type ToolDefinition =
  | FunctionToolDefinition
  | FreeformToolDefinition
  | { readonly type: "local_shell" }
  | { readonly type: "web_search" };

export interface FunctionToolDefinition {
  readonly type: "function";
  readonly name: string;
  readonly description: string;
  readonly strict: false;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface FreeformToolDefinition {
  readonly type: "custom";
  readonly name: string;
  readonly description: string;
  readonly format: { readonly type: "grammar"; readonly syntax: "lark"; readonly definition: string };
}
