/*
 * npm run conformance [-- --write] [CASE...]: builds the cases of fixtures/builds with Docker and with Caisson and compares
 * the images; with --write the rows of these cases in docs/conformance.md are written. It ends with 1 where something differs that
 * the case does not explain. It needs root, Docker (PEER_DOCKER names a client that is not in the PATH), and what the tests
 * need. Folders of cases lie in the folder for temporary files, where the engine of Docker can read them.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { buildCases, copyCase, needsOf, type BuildCase } from '../../test/rig/build-case.ts';
import { pushBaseImages, pushDebian } from '../../test/rig/push-base-images.ts';
import { startRegistry } from '../../test/rig/registry.ts';
import { missing } from '../../test/rig/tools.ts';
import { buildPackage } from '../build.ts';
import { findDocker, type Docker } from '../find-docker.ts';
import { dockerBuilder, ourBuilder, type CaseBuilder } from './builders.ts';
import { NEW } from './compare-images.ts';
import { judge, type Verdict } from './judge.ts';
import { isSound, lineOf, pageOf } from './report.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(root, '.caisson', 'conformance');

const { values: flags, positionals: names } = parseArgs({
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
});

async function compareCase(each: BuildCase, docker: CaseBuilder, ours: CaseBuilder): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'caisson-conformance-'));
  try {
    const context = join(folder, 'context');
    await copyCase(each, context);
    await makeOld(context);
    return judge(each, await docker(each, context, folder), await ours(each, context, folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Gives what lies in a folder times that no build makes. */
async function makeOld(folder: string): Promise<void> {
  const isNew = ['-newermt', new Date(NEW).toISOString()];
  await execa('find', [folder, ...isNew, '-exec', 'touch', '-h', '-d', '@1600000000', '{}', '+']);
}

async function compareAll(cases: readonly BuildCase[], docker: Docker): Promise<Verdict[]> {
  await using registry = await startRegistry(FOLDER);
  await pushBaseImages(registry.host);
  if (cases.some((each) => needsOf(each).includes('mmdebstrap'))) await pushDebian(registry.host);
  const [theirs, ours] = [dockerBuilder(docker, registry.host), ourBuilder(FOLDER, registry.host)];
  const verdicts: Verdict[] = [];
  for (const each of cases) {
    const verdict = await compareCase(each, theirs, ours);
    process.stdout.write(`${lineOf(verdict)}\n`);
    verdicts.push(verdict);
  }
  return verdicts;
}

function write(verdicts: readonly Verdict[], { version }: Docker, cases: readonly BuildCase[]): void {
  const page = join(root, 'docs/conformance.md');
  const before = existsSync(page) ? readFileSync(page, 'utf8') : '';
  writeFileSync(page, pageOf(verdicts, { version, before, names: cases.map(({ name }) => name) }));
}

async function main(): Promise<void> {
  const lacking = missing('root', 'busybox', 'docker-registry');
  if (lacking.length > 0) throw new Error(`the comparison needs ${lacking.join(', ')}`);
  const docker = await findDocker();
  if (docker === undefined) throw new Error('no Docker answers; PEER_DOCKER names its client');
  const all = buildCases();
  const unknown = names.filter((name) => !all.some((each) => each.name === name));
  if (unknown.length > 0) throw new Error(`there is no case ${unknown.join(', ')}`);
  await buildPackage();
  mkdirSync(FOLDER, { recursive: true });
  const verdicts = await compareAll(
    all.filter(({ name }) => names.length === 0 || names.includes(name)),
    docker,
  );
  const bad = verdicts.filter((verdict) => !isSound(verdict));
  process.stdout.write(`${verdicts.length} cases, ${bad.length} with a difference that has no reason\n`);
  if (flags.write) write(verdicts, docker, all);
  rmSync(FOLDER, { recursive: true, force: true });
  process.exitCode = bad.length === 0 ? 0 : 1;
}

await main();
