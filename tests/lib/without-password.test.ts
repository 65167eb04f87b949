import { expect, test } from "vitest";
import { withoutPassword } from "../../src/lib/without-password.ts";

test.each([
  ["https://host/v1?mail=a@b", "https://host/v1?mail=a@b"],
  ["https://user:secret@host/v1", "https://***@host/v1"],
  ["user:secret@host", "***@host"],
  ["http://user:sec#ret@host/v1", "http://***@host/v1"],
  ["http://user:sec?ret@host/v1", "http://***@host/v1"],
  ["http://user:sec/r@et@host/v1", "http://***@host/v1"],
])("%s is shown as %s", (address, shown) => {
  expect(withoutPassword(address)).toBe(shown);
});
