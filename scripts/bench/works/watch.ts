import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { holdingsOf } from '../../../test/rig/holdings.ts';
import { dockerfile, editFile, writeFiles } from '../contexts.ts';
import { memoryOf, type Command, type Measured } from '../measure.ts';
import type { Bench, Work } from '../work.ts';

const FILES = 10_000;
const EDITS = 50;
/** Between two edits, in milliseconds: people do not edit while the last image is made. */
const PAUSE = 500;
const IDLE_SECONDS = 20;
/** Of /proc/PID/stat, a second: what Linux tells programs, whatever it works with itself. */
const TICKS = 100;

/** From an edit to the image that has it, edit after edit. */
export const WATCH: Work = {
  id: 'watch',
  title: `watch: one file of ${FILES.toLocaleString('en')} edited (COPY, then a RUN), ${EDITS} times`,
  columns: ['edit to image: median', 'edit to image: 95th percentile'],
  isOurs: true,
  absent: 'has no watch of its own',
  prepare: (bench) => {
    const context = join(bench.folder, 'context');
    writeFiles(join(context, 'files'), FILES, 53e6);
    dockerfile(context, `FROM ${bench.base}`, 'COPY . .', 'RUN true');
    return Promise.resolve(async (builder) => {
      if (builder.watch === undefined) return [undefined, undefined];
      await builder.reset(bench.base);
      return await measureEdits(builder.watch(context), context, bench);
    });
  },
};

async function measureEdits(
  { program, args, env = {} }: Command,
  context: string,
  { stores, note }: Bench,
): Promise<readonly Measured[]> {
  const running = execa(program, [...args], { env, reject: false, stdin: 'ignore', stdout: 'ignore' });
  const { pid = 0 } = running;
  try {
    const lines = running.iterable({ from: 'stderr' });
    await rest(lines);
    const times: number[] = [];
    const before = await sayWhatIsHeld(pid, stores);
    for (let edit = 0; edit < EDITS; edit++) {
      await sleep(PAUSE);
      const begun = performance.now();
      editFile(join(context, 'files'));
      await rest(lines);
      times.push((performance.now() - begun) / 1000);
    }
    note('held before and after', `${before}; ${await sayWhatIsHeld(pid, stores)}`);
    note('CPU while nothing changes', `${(100 * (await idleShare(pid))).toFixed(2)} %`);
    note('load of the machine', loadavg()[0]?.toFixed(1) ?? '');
    const peak = memoryOf(pid);
    const sorted = times.toSorted((a, b) => a - b);
    return [0.5, 0.95].map((share) => ({ seconds: sorted[Math.floor(share * EDITS)] ?? 0, peak }));
  } finally {
    running.kill('SIGINT');
    await running;
  }
}

/** Waits until it has built and waits for changes. */
async function rest(lines: AsyncIterator<string, unknown>): Promise<void> {
  for (;;) {
    const next = await lines.next();
    if (next.done === true) throw new Error('the watch ended');
    if (next.value === 'waiting for changes') return;
  }
}

/** What it holds once it is done with the last image. */
async function sayWhatIsHeld(pid: number, folder: string): Promise<string> {
  await sleep(5000); // old layers go in the background
  const { fds, watches, mounts, processes } = holdingsOf(pid, folder);
  const { stdout } = await execa('du', ['-sm', join(folder, 'store')]);
  const megabytes = Math.round(memoryOf(pid) / 1e6);
  return `${fds} fds, ${watches} watches, ${mounts} mounts, ${processes} processes, ${megabytes} MB, store ${stdout.split('\t')[0]} MiB`;
}

/** How much of a core the process takes. */
async function idleShare(pid: number): Promise<number> {
  const before = ticksOf(pid);
  await sleep(IDLE_SECONDS * 1000);
  return (ticksOf(pid) - before) / TICKS / IDLE_SECONDS;
}

function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
