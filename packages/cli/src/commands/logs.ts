import { existsSync } from 'node:fs';
import { Command } from 'commander';
import type { KeptReport, ReportedStep } from '@caisson/builder';
import type { Store } from '@caisson/store';
import { helpNotes } from '../help-notes.ts';
import { chooseSteps } from '../choose-steps.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { tellNoBuild } from '../no-such-build.ts';
import { withStore } from '../open-store.ts';
import { followLogs, printLogs, type LogsToShow } from '../logs/show-logs.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

interface LogsFlags {
  readonly path?: boolean;
  readonly follow?: boolean;
}

/** `caisson logs` */
export function logsCommand({ terminal, finish }: CommandContext): Command {
  return new Command('logs')
    .summary('show what the steps of a build wrote')
    .description(
      'Shows all that the steps of a build wrote, without what a terminal would obey. The last 50 builds are kept, as long as the cache has room for them.',
    )
    .argument(
      '[build]',
      'its id or at least four digits of the beginning of it; the last build where it is not given',
    )
    .argument('[step]', 'one step, by its number (3) or its name ("build 2/5"); all that wrote something')
    .option('-f, --follow', 'of a build that is running, print what comes until it has ended')
    .option('--path', 'print where the files lie, and not what is in them')
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['caisson logs', 'the last build'],
          ['caisson logs 3', 'its step #3'],
          ['caisson logs 5f0c 3', 'step #3 of another build: caisson builds'],
          ['caisson logs -f', 'what runs, as it goes on'],
          ['less "$(caisson logs --path 3)"', 'the bytes as they were written'],
        ],
      }),
    )
    .action(
      async (first: string | undefined, second: string | undefined, flags: LogsFlags, self: Command) => {
        const { build, step } = meaningOf(first, second);
        if (flags.path === true && flags.follow === true)
          throw new UsageError('--path names files, --follow prints what is in them: one of them');
        const { findReport } = await import('@caisson/builder');
        await withStore(rootOf(self, terminal), async (store) => {
          const found = await findReport(store, build);
          if (found.kind === 'report') return show(store, found.report, step, flags, terminal);
          tellNoBuild(terminal, found, build);
          finish(EXIT.failed);
        });
      },
    );
}

/** One word alone is a step of the last build, unless it looks like an id. */
function meaningOf(
  first: string | undefined,
  second: string | undefined,
): { readonly build?: string; readonly step?: string } {
  if (first === undefined) return {};
  if (second !== undefined) return { build: first, step: second };
  return /^[0-9a-f]{4,16}$/.test(first) ? { build: first } : { step: first };
}

async function show(
  store: Store,
  report: KeptReport,
  which: string | undefined,
  flags: LogsFlags,
  terminal: Terminal,
): Promise<void> {
  const steps = which === undefined ? report.steps : chooseSteps(report, which);
  const logs = { build: report.id, steps, hasTitles: which === undefined };
  if (flags.follow === true && report.state === 'running') return followLogs(store, logs, terminal);
  const count =
    flags.path === true ? printPaths(store, logs, terminal) : await printLogs(store, logs, terminal);
  if (count === 0) terminal.error(`${whyNothing(report, which === undefined ? undefined : steps[0])}\n`);
}

function printPaths(store: Store, { build, steps }: LogsToShow, terminal: Terminal): number {
  const paths = steps.map(({ id }) => store.logs.path(build, id)).filter((path) => existsSync(path));
  for (const path of paths) terminal.out(`${path}\n`);
  return paths.length;
}

function whyNothing({ id, state, steps }: KeptReport, step: ReportedStep | undefined): string {
  if (step?.outcome === 'cached') return `step #${step.id} of build ${id} was cached: it did not run`;
  const yet = state === 'running' ? ' so far: --follow waits for more' : ', or its log is gone';
  if (step !== undefined) return `step #${step.id} of build ${id} wrote nothing${yet}`;
  if (state === 'running') return `no step of build ${id} wrote anything${yet}`;
  if (steps.every(({ outcome }) => outcome === 'cached')) return `all steps of build ${id} were cached`;
  return `no step of build ${id} wrote anything, or the logs are gone`;
}
