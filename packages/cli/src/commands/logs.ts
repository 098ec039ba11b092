import { createReadStream, existsSync } from 'node:fs';
import { Command } from 'commander';
import type { KeptReport, ReportedStep } from '@caisson/builder';
import type { Store } from '@caisson/store';
import { chooseSteps } from '../choose-steps.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { tellNoBuild } from '../no-such-build.ts';
import { withStore } from '../open-store.ts';
import { LineSplitter, printableLine } from '../output/line-splitter.ts';
import type { Terminal } from '../terminal.ts';

interface LogsFlags {
  readonly path?: boolean;
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
    .option('--path', 'print where the files lie, and not what is in them')
    .addHelpText(
      'after',
      `
Examples:
  caisson logs                                       the last build
  caisson logs 3                                     its step #3
  caisson logs 5f0c 3                                step #3 of another build: caisson builds
  less "$(caisson logs --path 3)"                    the bytes as they were written
`,
    )
    .action(
      async (first: string | undefined, second: string | undefined, flags: LogsFlags, self: Command) => {
        const { build, step } = meaningOf(first, second);
        const { readReport } = await import('@caisson/builder');
        const isFound = await withStore(rootOf(self, terminal), async (store) => {
          const report = await readReport(store, build);
          if (report === undefined) return false;
          await show(store, report, step, flags, terminal);
          return true;
        });
        if (isFound) return;
        tellNoBuild(terminal, build);
        finish(EXIT.failed);
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
  const logs = steps
    .map((step) => ({ step, path: store.logs.path(report.id, step.id) }))
    .filter(({ path }) => existsSync(path));
  if (logs.length === 0) {
    terminal.error(`${whyNothing(report, which === undefined ? undefined : steps[0])}\n`);
    return;
  }
  for (const { step, path } of logs) {
    if (flags.path === true) terminal.out(`${path}\n`);
    else {
      if (which === undefined) terminal.out(`${title(step)}\n`);
      await print(path, terminal);
    }
  }
}

function title({ id, name, text, outcome }: ReportedStep): string {
  const ended = outcome === 'failed' || outcome === 'cancelled' ? ` (${outcome})` : '';
  return `#${id} [${name}] ${printableLine(text)}${ended}`;
}

function whyNothing({ id, steps }: KeptReport, step: ReportedStep | undefined): string {
  if (step?.outcome === 'cached') return `step #${step.id} of build ${id} was cached: it did not run`;
  if (step !== undefined) return `step #${step.id} of build ${id} wrote nothing, or its log is gone`;
  if (steps.every(({ outcome }) => outcome === 'cached')) return `all steps of build ${id} were cached`;
  return `no step of build ${id} wrote anything, or the logs are gone`;
}

/** Prints a log, however long it is. */
async function print(path: string, terminal: Terminal): Promise<void> {
  let text = '';
  const splitter = new LineSplitter((line) => {
    text += `${line}\n`;
  });
  const tell = async (): Promise<void> => {
    terminal.out(text);
    text = '';
    await terminal.drained();
  };
  for await (const chunk of createReadStream(path)) {
    if (!(chunk instanceof Uint8Array)) continue;
    splitter.push(chunk);
    await tell();
  }
  splitter.end();
  await tell();
}
