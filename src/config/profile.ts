import { UserError } from "../lib/errors.ts";
import type { ConfigFlags } from "./config.ts";
import type { ConfigToml, Profile } from "./config-toml.ts";
import type { Override } from "./overrides.ts";

export interface SelectedProfile extends Partial<Profile> {
  /** Undefined when none is selected. */
  readonly profileName?: string;
}

export function selectProfile(toml: ConfigToml, flags: ConfigFlags): SelectedProfile {
  const profileName = flags.profile ?? toml.profile;
  if (profileName === undefined) return {};
  const profile = toml.profiles.get(profileName);
  if (profile === undefined) throw new UserError(`config profile \`${profileName}\` not found`);
  return { ...profile, profileName };
}

const profileKeys: Readonly<Record<string, keyof Profile>> = {
  model: "model",
  model_provider: "modelProvider",
  approval_policy: "approvalPolicy",
  model_reasoning_effort: "modelReasoningEffort",
  model_reasoning_summary: "modelReasoningSummary",
  model_verbosity: "modelVerbosity",
  chatgpt_base_url: "chatgptBaseUrl",
  experimental_instructions_file: "experimentalInstructionsFile",
};

/** Says which `-c` values the profile beats: the order is kept, but not in silence. */
export function shadowedOverrides(options: {
  readonly overrides: readonly Override[];
  readonly toml: ConfigToml;
  readonly profile: SelectedProfile;
  readonly flags: ConfigFlags;
}): readonly string[] {
  const { toml, profile, flags } = options;
  const keys = new Set(options.overrides.map((override) => override.path.join(".")));
  return [...keys].flatMap((key) => {
    const name = Object.hasOwn(profileKeys, key) ? profileKeys[key] : undefined;
    if (name === undefined || profile[name] === undefined || profile[name] === toml[name]) return [];
    if (name in flags) return []; // the flag beats both
    const instead = `-c profiles.${profile.profileName}.${key}=...`;
    return [`"-c ${key}" has no effect: the profile "${profile.profileName}" sets it too. Use "${instead}".`];
  });
}
