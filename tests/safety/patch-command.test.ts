import { describe, expect, test } from "vitest";
import { recognizePatch } from "../../src/safety/patch-command.ts";

const patch = "*** Begin Patch\n*** Add File: a.txt\n+it's $HOME `x` \\n\n*** End Patch";
const quotable = "*** Begin Patch\n*** Add File: a.txt\n+x\n*** End Patch";
const heredoc = `apply_patch <<'EOF'\n${patch}\nEOF`;

describe("a patch", () => {
  test.each([
    ["apply_patch", patch],
    ["applypatch", patch],
    ["bash", "-lc", heredoc],
    ["bash", "-lc", `applypatch <<"EOF"\n${patch}\nEOF\n`],
    ["bash", "-lc", `apply_patch <<EOF\n${patch}\nEOF`],
    ["bash", "-lc", `\n  apply_patch  << 'PATCH-1'  \n${patch}\nPATCH-1\n\n`],
    ["bash", "-c", heredoc],
    ["sh", "-lc", heredoc],
    ["/bin/zsh", "-c", heredoc],
    ["bash", "-lc", `cat <<'EOF' | apply_patch\n${patch}\nEOF`],
  ])("%j, %j", (...command) => {
    expect(recognizePatch(command)).toEqual({ type: "patch", patch, cd: undefined });
  });

  test.each([`apply_patch '${quotable}'`, `apply_patch "${quotable}"`, ` applypatch '${quotable}';\n`])(
    "as a quoted argument: %j",
    (script) => {
      expect(recognizePatch(["bash", "-lc", script])).toEqual({ type: "patch", patch: quotable, cd: undefined });
    },
  );

  test.each([
    [`cd sub && ${heredoc}`, "sub"],
    [`cd 'a b' && ${heredoc}`, "a b"],
    [`cd "a b" && apply_patch <<EOF\n${patch}\nEOF`, "a b"],
    [`cd a\\ b&&${heredoc}`, "a b"],
    [`cd /abs/olute;${heredoc}`, "/abs/olute"],
    [`cd sub\n${heredoc}`, "sub"],
  ])("after cd: %j", (script, cd) => {
    expect(recognizePatch(["bash", "-lc", script])).toEqual({ type: "patch", patch, cd });
  });

  test("its text is not checked here", () => {
    expect(recognizePatch(["apply_patch", `<<'EOF'\n${patch}\nEOF`])).toMatchObject({ type: "patch" });
    expect(recognizePatch(["bash", "-lc", "apply_patch <<'EOF'\nno patch\nEOF"])).toMatchObject({ patch: "no patch" });
  });

  test("its body ends at the first line that is the tag alone", () => {
    const script = "apply_patch <<'EOF'\n EOF\nEOFX\nEOF ";
    expect(recognizePatch(["bash", "-lc", script])).toEqual({ type: "none" });
    expect(recognizePatch(["bash", "-lc", `${script}\nEOF`])).toMatchObject({ patch: " EOF\nEOFX\nEOF " });
  });
});

describe("a command like any other", () => {
  test.each([
    [[]],
    [["apply_patch"]],
    [["apply_patch", patch, "x"]],
    [["./apply_patch", patch]],
    [["cat", patch]],
    [["bash", "-lc"]],
    [["bash", "-lc", heredoc, "x"]],
    [["bash", "-x", heredoc]],
    [["fish", "-c", heredoc]],
  ])("%j", (command) => {
    expect(recognizePatch(command)).toEqual({ type: "none" });
  });

  test.each([
    "ls",
    `${heredoc}\necho done`,
    `apply_patch <<'EOF' && echo x\n${patch}\nEOF`,
    `apply_patch <<'EOF' | cat\n${patch}\nEOF`,
    `apply_patch <<'EOF' > log\n${patch}\nEOF`,
    `apply_patch <<'EOF'; rm x\n${patch}\nEOF`,
    `apply_patch <<-EOF\n${patch}\nEOF`,
    `apply_patch x <<'EOF'\n${patch}\nEOF`,
    `apply_patch <<'EOF\n${patch}\nEOF`,
    `apply_patch <<'EOF"\n${patch}\nEOF`,
    `apply_patch <<'EOF'\n${patch}`,
    `apply_patch <<'EOF'\n${patch}\n  EOF`,
    `echo x && ${heredoc}`,
    `cd a || ${heredoc}`,
    `cd a | ${heredoc}`,
    `cd a & ${heredoc}`,
    `cd a && cd b && ${heredoc}`,
    `cd a b && ${heredoc}`,
    `cd -P a && ${heredoc}`,
    `cd - && ${heredoc}`,
    `cd ~/a && ${heredoc}`,
    `cd a* && ${heredoc}`,
    `cd $DIR && ${heredoc}`,
    `cd "$DIR" && ${heredoc}`,
    `cd '' && ${heredoc}`,
    `cd a"b" && ${heredoc}`,
    `apply_patch '${quotable}' && echo x`,
    `apply_patch "$(cat x)"`,
    `echo '${quotable}' | apply_patch`,
  ])("%j", (script) => {
    expect(recognizePatch(["bash", "-lc", script])).toEqual({ type: "none" });
  });
});
