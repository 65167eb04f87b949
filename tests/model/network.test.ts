import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net, { type AddressInfo, type Server } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { ask, clientAt } from "./ask.ts";
import { certificate, certificateKey } from "./certificate.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "codex-tls-"));
const certificateFile = path.join(folder, "ca.pem");
writeFileSync(certificateFile, certificate);
afterAll(() => rmSync(folder, { recursive: true }));

const completed = 'data: {"type":"response.completed","response":{"id":"r"}}\n\n';

interface Seen {
  readonly url: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly port: number | undefined;
}

function answering(seen: Seen[]): http.RequestListener {
  return (incoming, response) => {
    seen.push({ url: incoming.url, headers: incoming.headers, port: incoming.socket.remotePort });
    incoming.resume();
    incoming.once("end", () => response.end(completed));
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function secureServer(seen: Seen[] = []): Promise<https.Server & { port: number }> {
  const server = https.createServer({ key: certificateKey, cert: certificate }, answering(seen));
  return Object.assign(server, { port: await listen(server) });
}

test("an authority of one's own is named in SSL_CERT_FILE, and connections are used again", async () => {
  const seen: Seen[] = [];
  const server = await secureServer(seen);
  const client = clientAt(`https://localhost:${server.port}/v1`, { env: { SSL_CERT_FILE: certificateFile } });
  expect((await ask(client)).error).toBeUndefined();
  expect((await ask(client)).error).toBeUndefined();
  expect(new Set(seen.map(({ port }) => port)).size).toBe(1);
  server.closeAllConnections();
  expect((await ask(client)).error).toBeUndefined();
  server.closeAllConnections();
  server.close();
});

test("NODE_EXTRA_CA_CERTS adds to SSL_CERT_FILE", async () => {
  const server = await secureServer();
  const env = { SSL_CERT_FILE: path.join(folder, "empty.pem"), NODE_EXTRA_CA_CERTS: certificateFile };
  writeFileSync(env.SSL_CERT_FILE, "");
  expect((await ask(clientAt(`https://localhost:${server.port}/v1`, { env }))).error).toBeUndefined();
  server.closeAllConnections();
  server.close();
});

test("a certificate that nobody knows is named, and not tried again", async () => {
  const seen: Seen[] = [];
  const server = await secureServer(seen);
  const client = clientAt(`https://localhost:${server.port}/v1`, { provider: { requestMaxRetries: 3 } });
  expect((await ask(client)).error).toMatchObject({
    isRetryable: false,
    message:
      `error sending request for url (https://localhost:${server.port}/v1/responses): ` +
      `the certificate of localhost:${server.port} was refused: self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT); ` +
      "name the right authority's file in SSL_CERT_FILE or NODE_EXTRA_CA_CERTS",
  });
  expect(seen).toEqual([]);
  server.close();
});

test("a certificate of another host is refused", async () => {
  const seen: Seen[] = [];
  const server = await secureServer(seen);
  const client = clientAt(`https://127.0.0.1:${server.port}/v1`, { env: { SSL_CERT_FILE: certificateFile } });
  expect((await ask(client)).error).toMatchObject({
    isRetryable: false,
    message: expect.stringMatching(/the certificate of 127\.0\.0\.1:\d+ was refused: .*ERR_TLS_CERT_ALTNAME_INVALID/),
  });
  expect(seen).toEqual([]);
  server.close();
});

test("a missing file of certificates is named", async () => {
  const SSL_CERT_FILE = path.join(folder, "missing.pem");
  expect((await ask(clientAt("https://localhost:1/v1", { env: { SSL_CERT_FILE } }))).error).toMatchObject({
    isRetryable: false,
    message: `Cannot read the certificates in SSL_CERT_FILE ("${SSL_CERT_FILE}"): No such file or directory (os error 2)`,
  });
});

test("https to a server that speaks http is told", async () => {
  const server = http.createServer();
  const port = await listen(server);
  expect((await ask(clientAt(`https://127.0.0.1:${port}/v1`))).error).toMatchObject({
    message: expect.stringContaining(`no TLS connection with 127.0.0.1:${port}: `),
  });
  server.closeAllConnections();
  server.close();
});

/** A proxy that opens tunnels to one port, whatever is asked for, and answers plain requests itself. */
async function proxyTo(port: number, seen: Seen[]): Promise<http.Server & { port: number }> {
  const server = http.createServer(answering(seen));
  server.on("connect", (incoming, client, head) => {
    seen.push({ url: incoming.url, headers: incoming.headers, port: undefined });
    if (port === 0) return client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const target = net.connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      target.write(head);
      target.pipe(client).pipe(target);
    });
    for (const end of [target, client]) end.on("error", () => {}); // either may go first
  });
  return Object.assign(server, { port: await listen(server) });
}

test("https goes through a tunnel of the proxy, which sees neither path nor credential", async () => {
  const seen: Seen[] = [];
  const tunnelled: Seen[] = [];
  const server = await secureServer(tunnelled);
  const proxy = await proxyTo(server.port, seen);
  const client = clientAt("https://model.invalid/v1", {
    credential: () => ({ kind: "api-key", token: "sk-secret", source: "" }),
    env: { HTTPS_PROXY: `http://me:pw@127.0.0.1:${proxy.port}`, SSL_CERT_FILE: certificateFile },
  });
  expect(await ask(client)).toMatchObject({ events: [{ type: "completed" }], error: undefined });
  expect(seen).toMatchObject([{ url: "model.invalid:443", headers: { "proxy-authorization": "Basic bWU6cHc=" } }]);
  expect(JSON.stringify(seen)).not.toContain("sk-secret");
  expect(tunnelled).toMatchObject([{ url: "/v1/responses", headers: { authorization: "Bearer sk-secret" } }]);
  proxy.closeAllConnections();
  proxy.close();
  server.closeAllConnections();
  server.close();
});

test("http goes to the proxy with its whole address", async () => {
  const seen: Seen[] = [];
  const proxy = await proxyTo(0, seen);
  const env = { HTTP_PROXY: `127.0.0.1:${proxy.port}` };
  expect((await ask(clientAt("http://model.invalid/v1", { env }))).error).toBeUndefined();
  expect(seen).toMatchObject([{ url: "http://model.invalid/v1/responses", headers: { host: "model.invalid" } }]);
  proxy.closeAllConnections();
  proxy.close();
});

test("a proxy that refuses is named, without its password", async () => {
  const proxy = await proxyTo(0, []);
  const env = { ALL_PROXY: `http://me:pw@127.0.0.1:${proxy.port}` };
  expect((await ask(clientAt("https://model.invalid/v1", { env }))).error).toMatchObject({
    message: expect.stringMatching(
      /^error sending request for url \(https:\/\/model\.invalid\/v1\/responses\) through proxy 127\.0\.0\.1:\d+: .*403/,
    ),
  });
  proxy.closeAllConnections();
  proxy.close();
});

test("a silent proxy is silence", async () => {
  const silent = net.createServer();
  const env = { HTTPS_PROXY: `http://127.0.0.1:${await listen(silent)}` };
  const provider = { streamIdleTimeoutMs: 100 };
  expect((await ask(clientAt("https://model.invalid/v1", { env, provider }))).error).toMatchObject({
    message: "stream disconnected before completion: idle timeout waiting for SSE",
  });
  silent.close();
});

test("loopback is never proxied", async () => {
  const seen: Seen[] = [];
  const server = http.createServer(answering(seen));
  const port = await listen(server);
  const env = { HTTP_PROXY: "http://127.0.0.1:1", ALL_PROXY: "http://127.0.0.1:1" };
  expect((await ask(clientAt(`http://127.0.0.1:${port}/v1`, { env }))).error).toBeUndefined();
  expect(seen).toHaveLength(1);
  server.closeAllConnections();
  server.close();
});
