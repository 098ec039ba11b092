/*
 * npm test: installs the Debian packages that the tests need, if it may; runs all tests; says what was skipped, and why.
 * Arguments go on to vitest.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import * as z from 'zod/mini';
import { findTool, skipped, TOOLS } from '../test/rig/tools.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = join(root, '.caisson', 'test-results.json');

const results = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numFailedTestSuites: z.int(),
});

async function installTools(): Promise<void> {
  const absent = Object.entries(TOOLS).filter(([name]) => findTool(name) === undefined);
  const wanted = absent.map(([, debian]) => debian);
  if (wanted.length === 0) return;
  if (process.getuid?.() !== 0 || findTool('apt-get') === undefined) return;
  process.stdout.write(`installing for the tests: ${wanted.join(' ')}\n`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, reject: false, stdout: 'ignore', stderr: 'inherit', stdin: 'ignore' } as const;
  await execa('apt-get', ['update', '-qq'], options);
  await execa('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...wanted], options);
}

async function runTests(args: readonly string[]): Promise<number> {
  mkdirSync(join(root, '.caisson'), { recursive: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${RESULTS}`];
  const { exitCode } = await execa('vitest', ['run', ...reporters, ...args], {
    preferLocal: true,
    localDir: root,
    cwd: root,
    reject: false,
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
  });
  return exitCode ?? 1;
}

await installTools();
const exitCode = await runTests(process.argv.slice(2));
const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = results.parse(
  JSON.parse(readFileSync(RESULTS, 'utf8')),
);
for (const line of skipped()) process.stdout.write(`${line}\n`);
if (numPendingTests > 0) process.stdout.write(`${numPendingTests} skipped\n`);
// A suite that could not even be loaded has no tests that failed.
const failed = exitCode !== 0 && numFailedTests === 0 ? Math.max(1, numFailedTestSuites) : numFailedTests;
process.stdout.write(`${numPassedTests} passed, ${failed} failed\n`);
process.exit(exitCode);
