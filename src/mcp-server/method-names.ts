/** The JSON-RPC methods beside MCP, known before what serves them is loaded. */
export const directMethodNames = [
  "newConversation",
  "listConversations",
  "resumeConversation",
  "archiveConversation",
  "sendUserMessage",
  "sendUserTurn",
  "interruptConversation",
  "addConversationListener",
  "removeConversationListener",
  "gitDiffToRemote",
  "loginApiKey",
  "loginChatGpt",
  "cancelLoginChatGpt",
  "logoutChatGpt",
  "logout",
  "getAuthStatus",
  "getUserSavedConfig",
  "setDefaultModel",
  "getUserAgent",
  "userInfo",
  "execOneOffCommand",
] as const;

export type DirectMethod = (typeof directMethodNames)[number];

export function isDirectMethod(name: string): name is DirectMethod {
  return directMethodNames.some((known) => known === name);
}
