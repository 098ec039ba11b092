import { Command } from 'commander';
import type { BuildPlan, StepForecast } from '@caisson/builder';
import { helpNotes } from '../help-notes.ts';
import { checkIds } from '../rootless/enter-namespace.ts';
import { addPlanOptions, type PlanFlags } from '../build-options.ts';
import { requestOf } from '../build-request.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { exitOf } from '../failure-exit.ts';
import { inertFor } from '../output/ci/ci-format.ts';
import { onInterrupt } from '../interrupt.ts';
import { counted } from '../output/format.ts';
import { stepTitle } from '../output/plain-lines.ts';
import { QuietProgress } from '../output/quiet-progress.ts';
import { parseTextFormat, printJson, textFormat } from '../output/print.ts';
import { reasonText } from '../output/reason-text.ts';
import { sourceOf } from '../full-request.ts';
import type { Terminal } from '../terminal.ts';

type Flags = PlanFlags & { readonly format?: string };

/** `caisson plan` */
export function planCommand({ terminal, finish }: CommandContext): Command {
  const command = new Command('plan')
    .summary('say what a build would do, without running anything')
    .description(
      'Prints the steps of a build: which the cache has, which will run and why, and which depend on those.',
    )
    .argument('[context]', 'the build context, as for build', '.');
  return addPlanOptions(command)
    .optionsGroup('Output:')
    .addOption(textFormat())
    .addHelpText('after', EXAMPLES)
    .action(async (context: string, flags: Flags, self: Command) => {
      finish(await runPlan(context, flags, rootOf(self, terminal), terminal));
    });
}

const EXAMPLES = helpNotes({
  examples: [
    ['caisson plan', 'what caisson build . would do'],
    ['caisson plan --build-arg VERSION=2 --target test .'],
    ['caisson plan --format json | jq \'.steps[] | select(.outcome.kind != "hit").step.text\''],
  ],
  text: [
    'A step is a hit, will run, or is open: it depends on steps that will run, which may give what they gave before.',
    'Exit codes: 0 planned; 1 failed; 2 wrong usage; 130 interrupted.',
  ],
});

async function runPlan(context: string, flags: Flags, root: string, terminal: Terminal): Promise<number> {
  checkIds();
  const format = parseTextFormat(flags.format);
  const request = requestOf(context, flags, root, terminal);
  const { plan } = await import('@caisson/builder');
  using interrupt = onInterrupt();
  const all = { ...request, ...(await sourceOf(context, flags)), signal: interrupt.signal };
  const planned = await plan(all, new QuietProgress(terminal).emit);
  if (interrupt.exitCode !== undefined) return interrupt.exitCode;
  if (!planned.ok) return exitOf(planned.error);
  if (format === 'json') printJson(terminal, jsonOf(planned.value));
  else inertFor(terminal).out(textOf(planned.value));
  return EXIT.ok;
}

function textOf({ steps }: BuildPlan): string {
  const lines = steps.flatMap(({ step, outcome }) => [
    stepTitle(step),
    `#${step.id} ${outcomeText(outcome)}`,
  ]);
  const count = (kind: StepForecast['outcome']['kind']): number =>
    steps.filter(({ outcome }) => outcome.kind === kind).length;
  const total = `${counted(count('hit'), 'step')} hit, ${count('will-run')} will run, ${count('open')} open`;
  return `${[...lines, total].join('\n')}\n`;
}

function outcomeText(outcome: StepForecast['outcome']): string {
  switch (outcome.kind) {
    case 'hit':
      return `hit ${outcome.key}`;
    case 'will-run':
      return `will run: ${reasonText(outcome.reason)}`;
    case 'open':
      return `open: behind ${outcome.behind.map((id) => `#${id}`).join(', ')}`;
  }
}

/** Where a step stands is told by its line: a place holds the whole Dockerfile. */
function jsonOf({ target, steps }: BuildPlan): unknown {
  return {
    target,
    steps: steps.map(({ step: { id, name, text, place }, needs, outcome }) => ({
      step: { id, name, text, line: place.range.start.line },
      needs,
      outcome,
    })),
  };
}
