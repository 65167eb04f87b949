import { expect, test } from "vitest";
import { proxyFor } from "../../src/model/proxy.ts";

const proxied = { HTTPS_PROXY: "http://proxy:3128", HTTP_PROXY: "http://plain:3128" };

test.each([
  ["https://api.example.com/v1", proxied, "http://proxy:3128"],
  ["http://api.example.com/v1", proxied, "http://plain:3128"],
  ["https://api.example.com/v1", { https_proxy: "lower:1", HTTPS_PROXY: "upper:1" }, "http://lower:1"],
  ["https://api.example.com/v1", { ALL_PROXY: "socks5://proxy:1080" }, "socks5://proxy:1080"],
  ["https://api.example.com/v1", { HTTPS_PROXY: " " }, undefined],
  ["https://api.example.com/v1", {}, undefined],
  ["http://localhost:11434/v1", proxied, undefined],
  ["http://127.0.0.1:1/v1", proxied, undefined],
  ["http://[::1]:1/v1", proxied, undefined],
])("proxy for %s with %j", (url, env, proxy) => {
  expect(proxyFor(new URL(url), env)).toBe(proxy);
});

test.each([
  ["https://api.example.com/", "example.com", true],
  ["https://api.example.com/", ".example.com", true],
  ["https://api.example.com/", "*.example.com", true],
  ["https://example.com/", ".example.com", true],
  ["https://badexample.com/", "example.com", false],
  ["https://api.example.com/", "other.com, EXAMPLE.com", true],
  ["https://api.example.com/", "example.com:443", true],
  ["https://api.example.com/", "example.com:8443", false],
  ["https://api.example.com/", "*", true],
  ["https://10.1.2.3/", "10.0.0.0/8", true],
  ["https://11.1.2.3/", "10.0.0.0/8", false],
  ["https://10.1.2.3/", "10.0.0.0/99", false],
  ["https://[fd00::5]/", "fd00::/16", true],
  ["https://[fd00::5]/", "fd00::5", true],
  ["https://[fd00::5]:8443/", "[fd00::5]:8443", true],
])("%s with NO_PROXY=%s: excluded is %s", (url, noProxy, isExcluded) => {
  expect(proxyFor(new URL(url), { ...proxied, NO_PROXY: noProxy }) === undefined).toBe(isExcluded);
});
