import { always, inWorkspace, never, type Probe } from "./probe.ts";

const hole = "a repository's own folder is a part of the workspace, and what is put there runs with the next git";
const identity = "-c user.name=n -c user.email=a@b.c";
const make = `git init -q -b main && git add there && git ${identity} commit -qm one`;
/** The workspace becomes a worktree of a repository beside it. */
const makeWorktree = `git init -q -b main ../main && git -C ../main ${identity} commit -q --allow-empty -m one &&
  rm there && git -C ../main worktree add -q "$PWD" -b other`;
const plantHook = (git: string) => `mkdir -p ${git}/hooks && echo true > ${git}/hooks/pre-commit`;

/** Each in a workspace of its own: bubblewrap looks for repositories once, where the command starts. */
export const gitPromises: readonly Probe[] = [
  {
    what: "git shows the state, the log and the changes",
    before: `${make}; echo a >> there`,
    alone: {},
    script: [
      "bash",
      "git status --short | grep -q there && git log -1 --format=%s | grep -q one && git diff | grep -q ^+originala",
    ],
    expected: always,
  },
  {
    what: "a repository is made below the workspace, committed to and read",
    script: [
      "bash",
      `git init -q new && cd new && echo a > f && git add f &&
       git ${identity} commit -qm one && git log -1 --format=%s | grep -q one`,
    ],
    expected: inWorkspace,
  },
];

export const gitHoles: readonly Probe[] = [
  {
    what: "the work is committed",
    before: make,
    alone: {},
    script: ["bash", `echo a >> there && git ${identity} commit -qam two`],
    expected: inWorkspace,
    bubblewrap: never,
    note: "a read-only `.git` takes no commit either",
  },
  {
    what: "a hook or a setting is put into the repository, or another repository into its place",
    before: make,
    alone: {},
    script: ["bash", `${plantHook(".git")} || git config core.fsmonitor /bin/true || mv .git away`],
    expected: inWorkspace,
    bubblewrap: never,
    hole,
  },
  {
    what: "the same with a workspace below /tmp, or with all of that workspace",
    before: make,
    alone: { base: "/tmp" },
    script: ["bash", `${plantHook(".git")} || mv .git away || mv "$PWD" "$PWD-moved"`],
    expected: inWorkspace,
    bubblewrap: never,
    hole,
  },
  {
    what: "a worktree's repository below /tmp gets a hook, or its .git file names another",
    before: makeWorktree,
    alone: { base: "/tmp" },
    script: ["bash", `${plantHook("../main/.git")} || { echo gitdir: /tmp > new && mv -f new .git; }`],
    expected: inWorkspace,
    bubblewrap: never,
    hole,
  },
  {
    what: "a .git that is a link is replaced by a folder with a hook",
    before: `${make} && mv .git real && ln -s real .git`,
    alone: {},
    script: ["bash", `rm .git && ${plantHook(".git")}`],
    expected: inWorkspace,
    hole: "nothing can be mounted over a link",
  },
  {
    what: "a workspace that is no repository becomes one, with a hook",
    alone: {},
    script: ["bash", `git init -q && ${plantHook(".git")}`],
    expected: inWorkspace,
    hole: "nothing can be mounted over what is not there",
  },
];
