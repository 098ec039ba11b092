import { Command } from 'commander';
import type { BuildReport, Change, ReportedStep } from '@caisson/builder';
import type { StepRecord } from '@caisson/store';
import { helpNotes } from '../help-notes.ts';
import { chooseSteps } from '../choose-steps.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { tellNoBuild } from '../no-such-build.ts';
import { withStore } from '../open-store.ts';
import { inertFor } from '../output/ci/ci-format.ts';
import { ago, counted } from '../output/format.ts';
import { printableLine } from '../output/line-splitter.ts';
import { parseTextFormat, printJson, textFormat } from '../output/print.ts';
import { fieldText, fileText, reasonText, stateText } from '../output/reason-text.ts';

interface ExplainFlags {
  readonly build?: string;
  readonly format?: string;
}

/** A step, and the record that it was compared with, if that is still there. */
interface Explained {
  readonly step: ReportedStep;
  readonly than: StepRecord | undefined;
}

/** `caisson explain` */
export function explainCommand({ terminal, finish }: CommandContext): Command {
  return new Command('explain')
    .summary('say why steps of the last build ran')
    .description(
      'Compares what each step of a build depended on with the record in the cache that it was nearest to.',
    )
    .argument(
      '[step]',
      'one step, by its number (3) or its name ("build 2/5"); all that ran where it is not given',
    )
    .option('--build <id>', 'another build than the last one, by the beginning of its id: caisson builds')
    .addOption(textFormat())
    .addHelpText('after', EXAMPLES)
    .action(async (step: string | undefined, flags: ExplainFlags, self: Command) => {
      const format = parseTextFormat(flags.format);
      const { findReport } = await import('@caisson/builder');
      const found = await withStore(rootOf(self, terminal), async (store) => {
        const kept = await findReport(store, flags.build);
        if (kept.kind !== 'report') return kept;
        const { report } = kept;
        const steps = await Promise.all(
          chosen(report, step).map(async (each) => ({
            step: each,
            than: each.reason?.kind === 'changed' ? await store.records.peek(each.reason.than) : undefined,
          })),
        );
        return { kind: 'explained', report, steps } as const;
      });
      if (found.kind !== 'explained') {
        tellNoBuild(terminal, found, flags.build);
        finish(EXIT.failed);
        return;
      }
      if (format === 'json') printJson(terminal, jsonOf(found.report, found.steps));
      else inertFor(terminal).out(textOf(found.report, found.steps));
    });
}

const EXAMPLES = helpNotes({
  examples: [
    ['caisson explain', 'every step of the last build that ran'],
    ['caisson explain 3', 'step #3'],
    ['caisson explain "build 2/5"', 'by its name'],
    ["caisson explain --format json 3 | jq '.steps[0].reason.changes'"],
  ],
});

function chosen(report: BuildReport, which: string | undefined): readonly ReportedStep[] {
  return which === undefined
    ? report.steps.filter(({ reason }) => reason !== undefined)
    : chooseSteps(report, which);
}

function jsonOf({ id, startedAt, dockerfile, target }: BuildReport, steps: readonly Explained[]): unknown {
  return {
    build: id,
    startedAt,
    dockerfile,
    target,
    steps: steps.map(({ step, than }) => ({ ...step, than })),
  };
}

function textOf({ id, startedAt }: BuildReport, steps: readonly Explained[]): string {
  const head = `build ${id}, ${ago(startedAt, Date.now())}\n`;
  if (steps.length === 0) return `${head}no step ran\n`;
  return `${head}${steps.map(stepText).join('')}`;
}

function stepText({ step, than }: Explained): string {
  const { id, name, text, outcome, key, reason, record } = step;
  const lines = [
    `#${id} [${name}] ${printableLine(text)}`,
    `  ${outcome}${key === undefined ? '' : `, key ${key}`}`,
  ];
  if (reason === undefined) return `${lines.join('\n')}\n`;
  if (reason.kind !== 'changed') lines.push(`  why: ${reasonText(reason)}`);
  else {
    const when = than === undefined ? 'which is no longer there' : ago(than.created, Date.now());
    const where = reason.context === undefined ? '' : `, of ${printableLine(reason.context)}`;
    lines.push(`  compared with ${reason.than}, ${when}${where}`);
    lines.push(...reason.changes.flatMap(changeLines));
    const changed = new Set(reason.changes.map(fieldOf));
    const same = Object.keys(record ?? {}).filter((field) => !changed.has(field));
    if (same.length > 0) lines.push(`    the same: ${same.map(fieldText).join(', ')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The field of the key record that a change is of. */
function fieldOf(change: Change): string {
  switch (change.kind) {
    case 'variable':
      return 'env';
    case 'state':
      return 'state';
    case 'files':
    case 'field':
      return change.field;
  }
}

function changeLines(change: Change): string[] {
  switch (change.kind) {
    case 'files':
      return [
        ...change.files.map((file) => `    ${printableLine(fileText(file))}`),
        ...(change.more === undefined ? [] : [`    and ${counted(change.more, 'more file')}`]),
      ];
    case 'variable': {
      const { name, isArg, before, after } = change;
      return [`    ${isArg ? 'ARG' : 'ENV'} ${printableLine(name)}: ${shown(before)} -> ${shown(after)}`];
    }
    case 'state':
      return [`    ${printableLine(stateText(change))}`];
    case 'field':
      return [
        `    ${printableLine(fieldText(change.field))}: ${shown(change.before)} -> ${shown(change.after)}`,
      ];
  }
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : printableLine(JSON.stringify(value));
}
