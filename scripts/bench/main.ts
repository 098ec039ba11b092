/*
 * npm run bench [-- --work ID ...] [--all] [--rounds N] [--write]: does the works with Caisson and with the peers that
 * are there, in turn, and prints medians and ratios; with --write they go into docs/benchmarks.md, together with those
 * of earlier runs. It needs root. Our store lies in a journaled ext4 of its own, in a loop image; the peers keep their
 * own places.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { BASE_CONFIG, debianRoot } from '../../test/rig/base-images.ts';
import { pushByHand } from '../../test/rig/push-image.ts';
import { startRegistry, type Registry } from '../../test/rig/registry.ts';
import { buildPackage } from '../build.ts';
import { buildah, docker, ours, type Builder } from './builders.ts';
import type { Measured } from './measure.ts';
import { reportOf, rowsOf } from './report.ts';
import { Results, type WorkResult } from './results.ts';
import type { Work } from './work.ts';
import { WORKS } from './works/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(root, '.caisson', 'bench');

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    work: { type: 'string', multiple: true },
    all: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const ROUNDS = Number(flags.rounds);

/** What runs our steps: the first of these that is there, as in runtime/src/available-runtimes.ts. */
async function runtimeOfSteps(): Promise<string> {
  for (const name of ['crun', 'runc']) {
    const { exitCode, stdout } = await execa(name, ['--version'], { reject: false });
    if (exitCode === 0) return stdout.split('\n', 1)[0] ?? name;
  }
  return 'namespaces alone';
}

function wantedWorks(): Work[] {
  const unknown = flags.work?.find((id) => !WORKS.some((work) => work.id === id));
  if (unknown !== undefined)
    throw new Error(`no work ${unknown}; there are ${WORKS.map(({ id }) => id).join(', ')}`);
  if (flags.work !== undefined) return WORKS.filter(({ id }) => flags.work?.includes(id));
  return WORKS.filter(({ isSlow }) => flags.all || isSlow !== true);
}

async function mountJournaled(name: string): Promise<string> {
  const target = join(FOLDER, name);
  mkdirSync(target, { recursive: true });
  const image = `${target}.img`;
  await execa('truncate', ['-s', '40G', image]);
  await execa('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=1,lazy_journal_init=1', image]);
  // The kernel would go on to make its tables while we measure.
  await execa('mount', ['-o', 'loop,noinit_itable', image, target]);
  return target;
}

async function measureWork(
  work: Work,
  builders: readonly Builder[],
  registry: Registry,
  stores: string,
): Promise<WorkResult> {
  const folder = mkdtempSync(join(tmpdir(), 'caisson-bench-'));
  const notes: Record<string, string> = {};
  const round = await work.prepare({
    folder,
    registry,
    base: `${registry.host}/base`,
    stores,
    note: (title, value) => (notes[title] = value),
  });
  const all = new Map<Builder, (readonly (Measured | undefined)[])[]>(builders.map((each) => [each, []]));
  for (let number = 0; number <= ROUNDS; number++) {
    for (const [builder, measured] of all) {
      const values = await round(builder);
      if (number > 0) measured.push(values); // the first one warms up
    }
  }
  for (const builder of builders) await builder.reset();
  rmSync(folder, { recursive: true });
  const medians: WorkResult['builders'] = {};
  for (const [{ name }, measured] of all)
    medians[name] = work.columns.map((_, index) => median(measured.map((values) => values[index])));
  return {
    rounds: ROUNDS,
    date: new Date().toISOString().slice(0, 10),
    builders: medians,
    notes,
  };
}

function median(values: readonly (Measured | undefined)[]): Measured | null {
  const known = values.filter((value) => value !== undefined);
  const seconds = known.map((value) => value.seconds).toSorted((a, b) => a - b);
  const middle = seconds[Math.floor(seconds.length / 2)];
  if (middle === undefined) return null;
  return { seconds: middle, peak: Math.max(...known.map(({ peak }) => peak)) };
}

async function main(): Promise<void> {
  const works = wantedWorks();
  await buildPackage();
  mkdirSync(FOLDER, { recursive: true });
  const results = new Results(join(FOLDER, 'results.json'));
  const mounted = await mountJournaled('stores');
  try {
    await using registry = await startRegistry(FOLDER);
    await pushByHand(registry.host, 'base:latest', { layers: [await debianRoot()], config: BASE_CONFIG });
    const peers = [await docker(), await buildah(join(mounted, 'buildah'))];
    const builders = [ours(mounted), ...peers.filter((peer) => peer !== undefined)];
    for (const work of works) {
      const result = await measureWork(
        work,
        work.isOurs ? builders.slice(0, 1) : builders,
        registry,
        mounted,
      );
      results.put(work.id, result);
      process.stdout.write(`${rowsOf(work, result, builders).join('\n')}\n`);
    }
    const text = reportOf(WORKS, results, { builders, runtime: await runtimeOfSteps() });
    if (flags.write) writeFileSync(join(root, 'docs/benchmarks.md'), text);
    else process.stdout.write(`\n${text}`);
  } finally {
    await execa('umount', [mounted], { reject: false });
    rmSync(`${mounted}.img`, { force: true });
  }
}

if (process.getuid?.() !== 0) throw new Error('the benchmarks need root');
await main();
