/** The sandbox of macOS: a profile as text for its sandbox-exec program. Pure, so that it is tested everywhere. */

export interface SeatbeltProfile {
  readonly text: string;
  /** Paths never stand in the text: each is a parameter, so none can be read as part of the language. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface SeatbeltRoot {
  /** Canonical: /tmp is a link there. */
  readonly path: string;
  /** Below the root, and not writable all the same. */
  readonly readOnly: readonly string[];
}

export interface SeatbeltOptions {
  readonly roots: readonly SeatbeltRoot[];
  readonly network: boolean;
  /** The user's cache folder, which TLS writes; used when the network is on. */
  readonly cacheFolder?: string;
}

/** By this path only: through PATH, a command could have put another in its place. */
const sandboxExec = "/usr/bin/sandbox-exec";

const base = `(version 1)
(deny default)
(allow process-exec process-fork)
(allow signal process-info* (target same-sandbox))
(allow file-read*)
(allow file-write* (require-all (literal "/dev/null") (vnode-type CHARACTER-DEVICE)))
(allow sysctl-read)
(allow ipc-posix-sem)
(allow iokit-open (iokit-registry-entry-class "RootDomainUserClient"))
(allow mach-lookup
  (global-name "com.apple.system.opendirectoryd.libinfo")
  (global-name "com.apple.system.logger")
  (global-name "com.apple.logd")
  (global-name "com.apple.system.notification_center"))`;

const networkRules = `(allow network-outbound network-inbound network-bind system-socket)
(allow mach-lookup
  (global-name "com.apple.dnssd.service")
  (global-name "com.apple.networkd")
  (global-name "com.apple.SystemConfiguration.configd")
  (global-name "com.apple.SystemConfiguration.DNSConfiguration")
  (global-name "com.apple.SecurityServer")
  (global-name "com.apple.ocspd")
  (global-name "com.apple.trustd.agent"))`;

export function seatbeltProfile(options: SeatbeltOptions): SeatbeltProfile {
  const parameters: Record<string, string> = {};
  const rules = [base];
  options.roots.forEach((root, index) => {
    const name = `ROOT_${index}`;
    parameters[name] = root.path;
    const conditions = [`(subpath (param "${name}"))`];
    root.readOnly.forEach((path, part) => {
      const partName = `${name}_RO_${part}`;
      parameters[partName] = path;
      // As a literal too: what is not there yet may not be made, nor the folder renamed away.
      conditions.push(`(require-not (literal (param "${partName}")))`, `(require-not (subpath (param "${partName}")))`);
    });
    rules.push(`(allow file-write* (require-all ${conditions.join(" ")}))`);
  });
  if (options.network) {
    rules.push(networkRules);
    if (options.cacheFolder !== undefined) {
      parameters["CACHE"] = options.cacheFolder;
      rules.push('(allow file-write* (subpath (param "CACHE")))');
    }
  }
  return { text: `${rules.join("\n")}\n`, parameters };
}

/** The command line that runs a command under a profile. */
export function seatbeltCommand(profile: SeatbeltProfile, argv: readonly string[]): readonly [string, ...string[]] {
  const definitions = Object.entries(profile.parameters).flatMap(([name, path]) => ["-D", `${name}=${path}`]);
  return [sandboxExec, "-p", profile.text, ...definitions, "--", ...argv];
}
