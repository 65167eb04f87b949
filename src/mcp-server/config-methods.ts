import { type ConfigToml, checkConfig, configTomlPath, type Profile, readConfigFile } from "../config/config-toml.ts";
import { persistModel } from "../config/persist-model.ts";
import { messageOf } from "../lib/errors.ts";
import { allowed, decodeParams } from "./decode.ts";
import type { MethodHandler } from "./direct-methods.ts";
import { SetDefaultModelParamsSchema } from "./method-schemas.ts";
import { internalError, RpcFailure } from "./rpc-failure.ts";

/** The file of the configuration, as it is on disk and without `-c`. */
export const configMethods = {
  getUserSavedConfig: (call, { state }) => {
    const { codexHome } = state.config;
    const values = doing("failed to load config.toml", () => readConfigFile(codexHome));
    const toml = doing("failed to parse config.toml", () => checkConfig(values, () => configTomlPath(codexHome)));
    call.reply({ config: savedConfig(toml) });
  },

  setDefaultModel: (call, { state, conversations }) => {
    const { model, reasoningEffort } = decodeParams(call.params, SetDefaultModelParamsSchema);
    allowed(() => conversations.limits.checkDefaultModel());
    const choice = { model: model ?? undefined, reasoningEffort: reasoningEffort ?? undefined };
    doing("failed to persist overrides", () => persistModel(state.config.codexHome, choice));
    call.reply({});
  },

  getUserAgent: (call, { state }) => {
    call.reply({ userAgent: state.userAgent() });
  },
} as const satisfies Readonly<Record<string, MethodHandler>>;

function savedConfig(toml: ConfigToml): object {
  const { sandboxWorkspaceWrite, tools } = toml;
  const set = {
    approvalPolicy: toml.approvalPolicy,
    sandboxMode: toml.sandboxMode,
    sandboxSettings: sandboxWorkspaceWrite && {
      writableRoots: sandboxWorkspaceWrite.writableRoots,
      networkAccess: sandboxWorkspaceWrite.networkAccess,
      excludeTmpdirEnvVar: sandboxWorkspaceWrite.excludeTmpdirEnvVar,
      excludeSlashTmp: sandboxWorkspaceWrite.excludeSlashTmp,
    },
    model: toml.model,
    modelReasoningEffort: toml.modelReasoningEffort,
    modelReasoningSummary: toml.modelReasoningSummary,
    modelVerbosity: toml.modelVerbosity,
    tools: tools.webSearch === undefined && tools.viewImage === undefined ? undefined : tools,
    profile: toml.profile,
  };
  const profiles = [...toml.profiles].map(([name, profile]) => [name, savedProfile(profile)]);
  // JSON leaves out what is undefined.
  return { ...set, profiles: Object.fromEntries(profiles) };
}

/** All members, null where they are not set. */
function savedProfile(profile: Profile): object {
  return {
    model: profile.model ?? null,
    modelProvider: profile.modelProvider ?? null,
    approvalPolicy: profile.approvalPolicy ?? null,
    modelReasoningEffort: profile.modelReasoningEffort ?? null,
    modelReasoningSummary: profile.modelReasoningSummary ?? null,
    modelVerbosity: profile.modelVerbosity ?? null,
    chatgptBaseUrl: profile.chatgptBaseUrl ?? null,
  };
}

function doing<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new RpcFailure(internalError, `${what}: ${messageOf(cause)}`, { cause });
  }
}
