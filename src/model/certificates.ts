import { readFileSync } from "node:fs";
import type { Environment } from "../lib/environment.ts";
import { explainSystemError } from "../lib/errors.ts";
import { ModelError } from "./model-client.ts";

/** SSL_CERT_FILE replaces the built-in roots, as in other programs; Node adds NODE_EXTRA_CA_CERTS only to its own. */
export function readCertificates(env: Environment): readonly string[] | undefined {
  if (!env["SSL_CERT_FILE"]) return undefined;
  return ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"].flatMap((name) => {
    const file = env[name];
    if (!file) return [];
    try {
      return [readFileSync(file, "utf8")];
    } catch (cause) {
      const message = `Cannot read the certificates in ${name} ("${file}"): ${explainSystemError(cause)}`;
      throw new ModelError(message, { isRetryable: false, cause });
    }
  });
}
