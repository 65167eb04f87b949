import type { Probe, Run } from "./probe.ts";
import { Stage, type Traces, type Wrapper } from "./stage.ts";

export interface Outcome {
  readonly happened: boolean;
  /** Why it cannot be told whether it happened: then nothing is proven. */
  readonly problem?: string;
  readonly output: string;
}

export interface Trial {
  readonly outcomes: ReadonlyMap<Probe, Outcome>;
  readonly traces: Traces;
}

/** All of them as one user, in one way; those that can share a command do. */
export async function tryProbes(
  probes: readonly Probe[],
  how: { readonly uid: number | undefined; readonly wrapper: Wrapper },
): Promise<Trial> {
  const together = probes.filter(({ alone }) => alone === undefined);
  const { outcomes, traces } = await tryOnStage(together, how);
  const all = new Map(outcomes);
  for (const probe of probes) {
    if (probe.alone === undefined) continue;
    const trial = await tryOnStage([probe], how);
    for (const [one, outcome] of trial.outcomes) all.set(one, outcome);
  }
  return { outcomes: all, traces };
}

async function tryOnStage(
  probes: readonly Probe[],
  { uid, wrapper }: { readonly uid: number | undefined; readonly wrapper: Wrapper },
): Promise<Trial> {
  await using stage = new Stage(probes, uid);
  await stage.prepare();
  const before = probes.map((_, index) => stage.effects(index));
  const runs = await stage.try(wrapper);
  const outcomes = probes.map((probe, index): [Probe, Outcome] => {
    const run = runs[index] ?? { status: null, signal: null, output: "it never ran" };
    return [probe, outcomeOf(probe, run, before[index] !== stage.effects(index))];
  });
  return { outcomes: new Map(outcomes), traces: stage.traces() };
}

function outcomeOf({ alone }: Probe, run: Run, hasEffect: boolean): Outcome {
  const { status, output } = run;
  const happened = alone?.judge?.(run) ?? status === 0;
  const wasRefused = alone?.judge !== undefined || status === null || status === 1 || status > 128;
  if (!happened && hasEffect) return { happened: true, problem: "it was refused, but left its effect", output };
  if (!happened && !wasRefused) return { happened, problem: `it ended with ${status}`, output };
  return { happened, output };
}
