import { setTimeout as sleep } from 'node:timers/promises';
import type { ReportedStep } from '@caisson/builder';
import type { Store } from '@caisson/store';
import { inertFor } from '../output/ci/ci-format.ts';
import { printableLine } from '../output/line-splitter.ts';
import type { Terminal } from '../terminal.ts';
import { LogReader } from './log-reader.ts';

/** Which logs to show. */
export interface LogsToShow {
  readonly build: string;
  readonly steps: readonly ReportedStep[];
  /** Whether each log is to stand below what it is of. */
  readonly hasTitles: boolean;
}

/** How often is looked for more, in milliseconds. */
const INTERVAL = 200;

/** Prints logs, one below another, however long they are. @returns how many there are @throws StoreError */
export async function printLogs(
  store: Store,
  { build, steps, hasTitles }: LogsToShow,
  terminal: Terminal,
): Promise<number> {
  const print = printer(terminal);
  let count = 0;
  for (const step of steps) {
    await using log = new LogReader(store.logs.path(build, step.id));
    let isFirst = true;
    for await (const text of log.more()) {
      if (isFirst) {
        count++;
        if (hasTitles) await print(`${titleOf(step)}\n`);
      }
      isFirst = false;
      await print(text);
    }
    await print(log.rest());
  }
  return count;
}

/**
 * Prints logs as they grow, until their build has ended. Steps write side by side: where there may be several, each line
 * begins with the number of its step.
 * @throws StoreError
 */
export async function followLogs(
  store: Store,
  { build, steps, hasTitles }: LogsToShow,
  terminal: Terminal,
): Promise<void> {
  const print = printer(terminal);
  await using stack = new AsyncDisposableStack();
  const followed = steps.map((step) => ({
    step,
    log: stack.use(new LogReader(store.logs.path(build, step.id), hasTitles ? `#${step.id} ` : '')),
  }));
  const begun = new Set<ReportedStep>();
  for (let isRunning = true; isRunning;) {
    isRunning = store.logs.isRunning(build); // before it is read: what came before the end is not missed
    for (const { step, log } of followed) {
      for await (const text of log.more()) {
        if (hasTitles && !begun.has(step)) await print(`${titleOf(step)}\n`);
        begun.add(step);
        await print(text);
      }
    }
    if (isRunning) await sleep(INTERVAL);
  }
  for (const { log } of followed) await print(log.rest());
}

function printer(terminal: Terminal): (text: string) => Promise<void> {
  const { out } = inertFor(terminal);
  return async (text) => {
    if (text === '') return;
    out(text);
    await terminal.drained();
  };
}

function titleOf({ id, name, text, outcome }: ReportedStep): string {
  const ended = outcome === 'failed' || outcome === 'cancelled' ? ` (${outcome})` : '';
  return `#${id} [${name}] ${printableLine(text)}${ended}`;
}
