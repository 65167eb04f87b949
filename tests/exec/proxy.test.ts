import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net, { type AddressInfo, type Server } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { certificate, certificateKey } from "../model/certificate.ts";
import { fakeModel, say } from "../support/fake-model.ts";
import { runCodex } from "../support/run-codex.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "codex-proxy-"));
const certificateFile = path.join(folder, "ca.pem");
writeFileSync(certificateFile, certificate);
afterAll(() => rmSync(folder, { recursive: true }));

interface Proxy extends AsyncDisposable {
  readonly address: string;
  /** What was asked of it: whole URLs, and host:port for tunnels. */
  readonly seen: readonly (string | undefined)[];
}

/** Passes plain requests on to `target`, whatever host they name, and opens tunnels to `tunnelPort` only. */
async function startProxy(target: string, tunnelPort = 0): Promise<Proxy> {
  const seen: (string | undefined)[] = [];
  const server = http.createServer((incoming, response) => {
    seen.push(incoming.url);
    passOn(incoming, response, target);
  });
  server.on("connect", ({ url }, socket) => {
    seen.push(url);
    const tunnel = net.connect(tunnelPort, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    tunnel.pipe(socket).pipe(tunnel);
    tunnel.on("error", () => socket.destroy());
    socket.on("error", () => tunnel.destroy());
  });
  return { address: `127.0.0.1:${await listen(server)}`, seen, [Symbol.asyncDispose]: () => closed(server) };
}

function passOn(incoming: http.IncomingMessage, response: http.ServerResponse, target: string): void {
  const { pathname } = new URL(incoming.url ?? "", target);
  const { method, headers } = incoming;
  const onward = http.request(new URL(pathname, target), { method, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  incoming.pipe(onward);
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function closed(server: http.Server | https.Server): Promise<void> {
  const end = once(server, "close");
  server.close();
  server.closeAllConnections();
  await end;
}

test("HTTP_PROXY: a request for another host reaches the model through the proxy", async () => {
  await using model = await fakeModel([say("hello there")]);
  await using proxy = await startProxy(model.url);
  const run = await runCodex(["exec", "go"], {
    model: { url: "http://model.test/v1" },
    env: { HTTP_PROXY: `http://${proxy.address}` },
  });
  expect(run.stderr + run.stdout).toContain("hello there");
  expect(run.exitCode).toBe(0);
  expect(proxy.seen).toEqual(["http://model.test/v1/responses"]);
  expect(model.requests[0]?.headers.host).toBe("model.test");
});

test("HTTPS_PROXY: the request reaches the model through a tunnel", async () => {
  await using model = await fakeModel([say("hello there")]);
  const secure = https.createServer({ key: certificateKey, cert: certificate }, (incoming, response) =>
    passOn(incoming, response, model.url),
  );
  await using proxy = await startProxy(model.url, await listen(secure));
  const run = await runCodex(["exec", "go"], {
    model: { url: "https://model.invalid/v1" }, // the name in the certificate
    env: { HTTPS_PROXY: `http://${proxy.address}`, SSL_CERT_FILE: certificateFile },
  });
  await closed(secure);
  expect(run.stderr + run.stdout).toContain("hello there");
  expect(run.exitCode).toBe(0);
  expect(proxy.seen).toEqual(["model.invalid:443"]);
  expect(model.requests).toHaveLength(1);
});

test("NO_PROXY: a host in it is asked straight", async () => {
  await using model = await fakeModel([]);
  await using proxy = await startProxy(model.url);
  const run = await runCodex(["exec", "go"], {
    model: { url: "http://model.invalid/v1" },
    env: { HTTP_PROXY: `http://${proxy.address}`, NO_PROXY: "model.invalid" },
  });
  expect(run.exitCode).toBe(1); // nobody has this name
  expect(run.stderr).toContain("error sending request for url (http://model.invalid/v1/responses)");
  expect(run.stderr).not.toContain("through proxy");
  expect(proxy.seen).toEqual([]);
});
