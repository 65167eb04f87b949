import { expect, test } from "vitest";
import { loginShellName, shellInPasswd } from "../../src/config/shell-name.ts";

const passwd = [
  "root:x:0:0:root:/root:/bin/bash",
  "# a comment",
  "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin",
  "me:x:1000:1000:Me,,,:/home/me:/usr/bin/zsh\r",
  "short:x:1001",
  "none:x:1002:1002::/home/none:",
].join("\n");

test.each([
  [0, "/bin/bash"],
  [1, "/usr/sbin/nologin"],
  [1000, "/usr/bin/zsh"],
  [1001, undefined],
  [1002, ""],
  [10, undefined],
])("user %d has the shell %j", (uid, shell) => {
  expect(shellInPasswd(passwd, uid)).toBe(shell);
});

test("the own shell is one of those that the model is told about, or not told", () => {
  expect(["bash", "zsh", undefined]).toContain(loginShellName());
});
