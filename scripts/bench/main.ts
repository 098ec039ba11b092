/*
 * npm run bench [-- --rounds N] [--write]: builds the works with Caisson and with the peers that are there, in turn, and
 * prints medians and ratios; with --write they go into docs/benchmarks.md. It needs root. Our store lies in a
 * journaled ext4 of its own, in a loop image; the engine of Docker keeps its own place.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { BASE_CONFIG, debianRoot } from '../../test/rig/base-images.ts';
import { pushByHand } from '../../test/rig/push-image.ts';
import { startRegistry } from '../../test/rig/registry.ts';
import { buildPackage } from '../build.ts';
import { buildah, docker, ours, type Builder } from './builders.ts';
import { WORKS, type Work } from './works.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(root, '.caisson', 'bench');

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    work: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});

/** Seconds, of one builder for one work. */
interface Times {
  readonly cold: number[];
  readonly again: number[];
}

async function mountJournaled(name: string): Promise<string> {
  const target = join(FOLDER, name);
  mkdirSync(target, { recursive: true });
  const image = `${target}.img`;
  await execa('truncate', ['-s', '20G', image]);
  await execa('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=1,lazy_journal_init=1', image]);
  await execa('mount', ['-o', 'loop', image, target]);
  return target;
}

async function timed(builder: Builder, context: string): Promise<number> {
  const { command, args } = builder.build(context);
  const begun = performance.now();
  const { exitCode, all } = await execa(command, [...args], { env: builder.env, reject: false, all: true });
  if (exitCode !== 0) throw new Error(`${builder.name} failed:\n${all}`);
  return (performance.now() - begun) / 1000;
}

async function measure(work: Work, base: string, builders: readonly Builder[]): Promise<Map<Builder, Times>> {
  const context = mkdtempSync(join(tmpdir(), 'caisson-bench-'));
  work.write(context, base);
  const times = new Map(builders.map((builder): [Builder, Times] => [builder, { cold: [], again: [] }]));
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const [builder, { cold, again }] of times) {
      await builder.reset(base);
      await execa('sync'); // what the preparation left in memory is nobody's to write
      cold.push(await timed(builder, context));
      again.push(await timed(builder, context));
    }
  }
  rmSync(context, { recursive: true });
  return times;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function row(work: Work, times: ReadonlyMap<Builder, Times>): string {
  const [first] = times.values();
  const cells = [...times.values()].map(({ cold, again }, index) => {
    const [c, a] = [median(cold), median(again)];
    const shown = `${c.toFixed(2)} / ${a.toFixed(2)}`;
    if (index === 0 || first === undefined) return shown;
    return `${shown} (${(c / median(first.cold)).toFixed(1)}x / ${(a / median(first.again)).toFixed(1)}x)`;
  });
  return `| ${work.name} | ${cells.join(' | ')} |`;
}

function report(builders: readonly Builder[], rows: readonly string[]): string {
  return `# Benchmarks

Seconds, cold / nothing changed; medians of ${flags.rounds} rounds in which the builders took turns; in brackets how many times ours
that is. Written by \`npm run bench -- --rounds ${flags.rounds} --write\` on ${new Date().toISOString().slice(0, 10)}.

| work | ${builders.map(({ name }) => name).join(' | ')} |
| --- |${' --- |'.repeat(builders.length)}
${rows.join('\n')}

- Machine: ${cpus().length} cores (${cpus()[0]?.model ?? ''}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}.
- Cold: everything that was built before is forgotten (a new store; \`docker builder prune -af\`); the base image, a minimal
  Debian, is there, unpacked and on the disk. Nothing changed: the same command again.
- Times are of the whole command, start-up included. Our store lies in a journaled ext4 in a loop image of its own;
  Docker's engine keeps its store where it was set up to.
- Absolute times differ from machine to machine and from run to run: compare the ratios.
`;
}

async function main(): Promise<void> {
  await buildPackage();
  mkdirSync(FOLDER, { recursive: true });
  const mounted = await mountJournaled('stores');
  try {
    await using registry = await startRegistry(FOLDER);
    await pushByHand(registry.host, 'base:latest', { layers: [await debianRoot()], config: BASE_CONFIG });
    const peers = [await docker(), await buildah(join(mounted, 'buildah'))];
    const builders = [ours(mounted), ...peers.filter((peer) => peer !== undefined)];
    const rows: string[] = [];
    for (const work of WORKS.filter(({ name }) => name.includes(flags.work ?? ''))) {
      const line = row(work, await measure(work, `${registry.host}/base`, builders));
      process.stdout.write(`${line}\n`);
      rows.push(line);
    }
    const text = report(builders, rows);
    if (flags.write) writeFileSync(join(root, 'docs/benchmarks.md'), text);
    else process.stdout.write(`\n${text}`);
  } finally {
    await execa('umount', [mounted], { reject: false });
    rmSync(`${mounted}.img`, { force: true });
  }
}

if (process.getuid?.() !== 0) throw new Error('the benchmarks need root');
await main();
