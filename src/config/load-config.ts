import { readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { explainSystemError, UserError } from "../lib/errors.ts";
import { isInside } from "../lib/path-inside.ts";
import type { WorkspaceWritePolicy } from "../protocol/policy.ts";
import { findCodexHome, userHome } from "./codex-home.ts";
import type { Config, ConfigFlags } from "./config.ts";
import { type ConfigToml, checkConfig, configTomlPath, readConfigFile, unknownKeys } from "./config-toml.ts";
import { overlayDotEnv, parseDotEnv } from "./dot-env.ts";
import { MisplacedFile, placeCheckFor } from "./file-place.ts";
import { findGitRoot } from "./git-root.ts";
import { contextWindowOf, modelFamily } from "./model-families.ts";
import { credentialVariables, knownProviders, type ModelProvider } from "./model-providers.ts";
import { applyOverride, type Override, parseOverrides, settingsToOverrides } from "./overrides.ts";
import type { TomlValues } from "./parse-toml.ts";
import { selectProfile, shadowedOverrides } from "./profile.ts";
import { readUserInstructions } from "./project-doc.ts";
import { readTextFile, readWholeTextFile } from "./read-file.ts";

/** More than any model can take; what is read is read in one go. */
const mostDocumentBytes = 16 * 1024 * 1024;

interface ConfigSources {
  readonly flags: ConfigFlags;
  readonly env: Environment;
  readonly processCwd: string;
}

/** Resolves everything a run was told: defaults < config.toml < `-c` < profile < flags. */
export function loadConfig({ flags, env: processEnv, processCwd }: ConfigSources): Config {
  const warnings: string[] = [];
  const codexHome = findCodexHome(processEnv, processCwd);
  const { env, dotEnvNames } = readEnvironment(processEnv, codexHome, warnings);
  const { toml, overrides, changed } = readToml(codexHome, flags);
  const profile = selectProfile(toml, flags);
  warnings.push(...shadowedOverrides({ overrides, toml, profile, flags }));
  if (profile.profileName !== undefined && profile.hasSandboxMode === true) {
    const key = `profiles.${profile.profileName}.sandbox_mode`;
    warnings.push(`"${key}" has no effect: no profile changes the sandbox. Use -s, or -c sandbox_mode=...`);
  }
  if (toml.preferredAuthMethod !== undefined) {
    warnings.push(
      "preferred_auth_method is a key of old releases. It is honoured; codex login and codex logout choose as well.",
    );
  }

  const cwd = resolveCwd(flags.cwd, processCwd);
  const model = flags.model ?? profile.model ?? toml.model ?? "gpt-5";
  const family = modelFamily(model);
  const modelProviderId = flags.modelProvider ?? profile.modelProvider ?? toml.modelProvider ?? "openai";
  const modelProviders = knownProviders({ env, configured: toml.modelProviders });
  const modelProvider = modelProviders.get(modelProviderId);
  if (modelProvider === undefined) throw new UserError(`Model provider \`${modelProviderId}\` not found`);
  if (lacksAddress(modelProviderId, modelProvider)) {
    throw new UserError(`model_providers.${modelProviderId} has no base_url: set the address of its server`);
  }
  const instructionsFile = profile.experimentalInstructionsFile ?? toml.experimentalInstructionsFile;
  const ownInstructions =
    instructionsFile === undefined || flags.baseInstructions !== undefined
      ? undefined
      : readInstructions(instructionsFile, {
          cwd,
          codexHome,
          isOfCommandLine: names(overrides, instructionsFile),
          isOfCall: flags.settings !== undefined && !isOwnFile(instructionsFile, codexHome, flags),
          warnings,
        });
  const instructions = readUserInstructions(codexHome, {
    cwd,
    maxBytes: Math.min(toml.projectDocMaxBytes ?? 32_768, mostDocumentBytes),
  });
  warnings.push(...instructions.warnings);

  const isUnattended = flags.isUnattended ?? false;
  const configuredApproval = isUnattended ? "never" : (profile.approvalPolicy ?? toml.approvalPolicy ?? "on-request");
  const sandboxMode = flags.sandboxMode ?? toml.sandboxMode ?? "read-only";
  const workspaceWrite = workspaceWritePolicy(toml, { cwd, env });

  return {
    codexHome,
    cwd,
    env,
    dotEnvNames,
    profile: profile.profileName,
    model,
    modelFamily: { ...family, supportsReasoning: toml.modelSupportsReasoning ?? family.supportsReasoning },
    modelContextWindow: toml.modelContextWindow ?? contextWindowOf(model),
    modelAutoCompactTokenLimit: toml.modelAutoCompactTokenLimit,
    modelProviderId,
    modelProvider,
    modelProviders,
    credentialVariables: [modelProvider, ...toml.modelProviders.values()].flatMap(credentialVariables),
    modelReasoningEffort: profile.modelReasoningEffort ?? toml.modelReasoningEffort ?? "medium",
    modelReasoningSummary: profile.modelReasoningSummary ?? toml.modelReasoningSummary ?? "auto",
    modelVerbosity: profile.modelVerbosity ?? toml.modelVerbosity,
    approvalPolicy: flags.approvalPolicy ?? configuredApproval,
    sandboxPolicy: sandboxMode === "workspace-write" ? workspaceWrite : { mode: sandboxMode },
    workspaceWrite,
    linuxSandbox: toml.linuxSandbox ?? "landlock",
    shellEnvironmentPolicy: toml.shellEnvironmentPolicy,
    baseInstructions: flags.baseInstructions ?? ownInstructions ?? toml.baseInstructions,
    developerInstructions: flags.developerInstructions ?? toml.developerInstructions,
    userInstructions: instructions.text,
    notify: toml.notify ?? [],
    hideAgentReasoning: toml.hideAgentReasoning ?? false,
    showRawAgentReasoning: toml.showRawAgentReasoning ?? flags.showRawAgentReasoning ?? false,
    chatgptBaseUrl: profile.chatgptBaseUrl ?? toml.chatgptBaseUrl ?? "https://chatgpt.com/backend-api/",
    preferredAuthMethod: toml.preferredAuthMethod,
    chatgptLogin: {
      issuer: toml.chatgptIssuer ?? "https://auth.openai.com",
      clientId: toml.chatgptClientId,
      port: toml.chatgptLoginPort ?? 1455,
    },
    persistHistory: toml.historyPersistence !== "none",
    ephemeral: flags.ephemeral ?? false,
    mcpServers: toml.mcpServers,
    mcp: toml.mcp,
    tools: {
      webSearch: toml.tools.webSearch ?? false,
      viewImage: toml.tools.viewImage ?? true,
      plan: flags.includePlanTool ?? false,
      applyPatch: flags.includeApplyPatchTool ?? false,
    },
    resumePath: toml.experimentalResume && path.resolve(processCwd, toml.experimentalResume),
    isUnattended,
    chosen: {
      cwd: flags.cwd !== undefined,
      approvalPolicy:
        flags.approvalPolicy !== undefined ||
        (changed.includes("approval_policy") && (!isUnattended || toml.approvalPolicy === "never")),
      sandboxPolicy:
        flags.sandboxMode !== undefined ||
        changed.includes("sandbox_mode") ||
        (sandboxMode === "workspace-write" && changed.some((key) => isKeyInside(key, "sandbox_workspace_write"))),
    },
    warnings,
  };
}

/** A typing error in \`base_url\` must not send prompts, and another server's key, to the OpenAI service. */
function lacksAddress(id: string, { baseUrl, envKey, requiresOpenaiAuth }: ModelProvider): boolean {
  return id !== "openai" && baseUrl === undefined && envKey !== "OPENAI_API_KEY" && !requiresOpenaiAuth;
}

function readEnvironment(
  processEnv: Environment,
  codexHome: string,
  warnings: string[],
): Pick<Config, "env" | "dotEnvNames"> {
  const file = path.join(codexHome, ".env");
  try {
    const text = readTextFile(file);
    if (text === undefined) return { env: processEnv, dotEnvNames: [] };
    return { env: overlayDotEnv(processEnv, text), dotEnvNames: [...parseDotEnv(text).keys()] };
  } catch (error) {
    warnings.push(`Ignored "${file}": ${explainSystemError(error)}`);
    return { env: processEnv, dotEnvNames: [] };
  }
}

/** Keys of config.toml, and of what was laid over it, that a run with these settings passes over. */
export function findUnknownKeys(codexHome: string, flags: ConfigFlags): readonly string[] {
  return unknownKeys(readValues(codexHome, flags).values);
}

/** `overrides` are those given with `-c`, `changed` the keys that one of them or a client's settings named. */
function readToml(
  codexHome: string,
  flags: ConfigFlags,
): { readonly toml: ConfigToml; readonly overrides: readonly Override[]; readonly changed: readonly string[] } {
  const { values, overrides, changes } = readValues(codexHome, flags);
  const changed = changes.map((change) => change.path.join("."));
  const toml = checkConfig(values, (key) =>
    changed.some((other) => isKeyInside(key, other) || isKeyInside(other, key)) ? undefined : configTomlPath(codexHome),
  );
  return { toml, overrides, changed };
}

/** The file with `-c` and a client's settings laid over it. */
function readValues(codexHome: string, flags: ConfigFlags) {
  const overrides = parseOverrides(flags.overrides ?? []);
  const values: TomlValues = flags.ignoreUserConfig ? Object.create(null) : readConfigFile(codexHome);
  const changes = [...overrides, ...settingsToOverrides(flags.settings ?? {})];
  for (const change of changes) applyOverride(values, change);
  return { values, overrides, changes };
}

function isKeyInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}.`);
}

function resolveCwd(given: string | undefined, processCwd: string): string {
  const folder = path.resolve(processCwd, given ?? "");
  try {
    const canonical = realpathSync.native(folder);
    if (given === undefined || statSync(canonical).isDirectory()) return canonical;
  } catch (cause) {
    throw new UserError(`No such directory: "${given ?? folder}"`, { cause });
  }
  throw new UserError(`Not a directory: "${given}"`);
}

function workspaceWritePolicy(
  { sandboxWorkspaceWrite: settings }: ConfigToml,
  { cwd, env }: { readonly cwd: string; readonly env: Environment },
): WorkspaceWritePolicy {
  return {
    mode: "workspace-write",
    writable_roots: (settings?.writableRoots ?? []).map((root) =>
      path.resolve(
        cwd,
        root.replace(/^~(?=\/|$)/, () => userHome(env)),
      ),
    ),
    network_access: settings?.networkAccess ?? false,
    exclude_tmpdir_env_var: settings?.excludeTmpdirEnvVar ?? false,
    exclude_slash_tmp: settings?.excludeSlashTmp ?? false,
  };
}

/** Whether the command line itself gave this instructions file, for all or for a profile. */
function names(overrides: readonly Override[], instructionsFile: string): boolean {
  return overrides.some(
    (override) => override.path.at(-1) === "experimental_instructions_file" && override.value === instructionsFile,
  );
}

/** Whether the configuration names this instructions file without the settings of a client, too. */
function isOwnFile(instructionsFile: string, codexHome: string, { settings: _, ...flags }: ConfigFlags): boolean {
  const { toml } = readToml(codexHome, flags);
  return [toml, ...toml.profiles.values()].some(({ experimentalInstructionsFile: own }) => own === instructionsFile);
}

/** Descriptors of this process by the names that shells give them: <(...) and here-documents. */
const descriptorName = /^(?:\/dev\/stdin|\/(?:dev|proc\/self)\/fd\/\d+)$/;

interface InstructionsPlace {
  readonly cwd: string;
  readonly codexHome: string;
  readonly isOfCommandLine: boolean;
  /** A client's settings name it, and our own do not. */
  readonly isOfCall: boolean;
  readonly warnings: string[];
}

/**
 * A name may be relative, and the repository then says what lies there: what leads out of it is ignored. Undefined then,
 * with a warning. Elsewhere it is a file of the user's own, which many keep below CODEX_HOME.
 */
function readInstructions(
  name: string,
  { cwd, codexHome, isOfCommandLine, isOfCall, warnings }: InstructionsPlace,
): string | undefined {
  const file = path.resolve(cwd, name);
  const isOfRepository = isInside(file, findGitRoot(cwd) ?? cwd) && !isInside(file, codexHome);
  const check = isOfRepository || isOfCall ? placeCheckFor(file, { cwd, codexHome }) : undefined;
  let text: string;
  try {
    text = isOfCommandLine && descriptorName.test(name) ? readFileSync(name, "utf8") : readWholeTextFile(file, check);
  } catch (cause) {
    if (cause instanceof MisplacedFile && !isOfCall) {
      warnings.push(`Ignored the instructions file "${file}": ${cause.message}`);
      return undefined;
    }
    throw new UserError(`failed to read experimental instructions file ${file}: ${explainSystemError(cause)}`, {
      cause,
    });
  }
  if (text.trim() === "") throw new UserError(`experimental instructions file is empty: ${file}`);
  return text.trim();
}
