/*
 * npm run demo: builds a small image and runs it, with nothing but what npm brought: the base is `scratch`, its
 * program the static esbuild binary of an npm package. The store lies in the checkout.
 */
import { appendFileSync, chmodSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { buildPackage, PUBLISHED } from './build.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.caisson', 'demo');
const context = join(folder, 'context');
const env = { CAISSON_ROOT: join(folder, 'store'), CAISSON_RUNTIME: 'namespaces' };

function makeContext(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(root, 'fixtures/builds/demo'), context, { recursive: true });
  const binary = createRequire(import.meta.url).resolve(`@esbuild/linux-${process.arch}/bin/esbuild`);
  cpSync(binary, join(context, 'esbuild'));
  chmodSync(join(context, 'esbuild'), 0o755);
}

async function caisson(...args: string[]): Promise<void> {
  process.stdout.write(`\n$ caisson ${args.join(' ')}\n`);
  const program = join(PUBLISHED, 'bin', 'caisson.js');
  const { exitCode } = await execa(process.execPath, [program, ...args], {
    env,
    cwd: context,
    reject: false,
    stdout: 'inherit',
    stderr: 'inherit',
  });
  if (exitCode !== 0) process.exit(exitCode ?? 1);
}

await buildPackage();
makeContext();
await caisson('build', '-t', 'demo', '.');
await caisson('build', '-t', 'demo', '.');
process.stdout.write('\n$ echo "// a comment" >> src/main.js\n');
appendFileSync(join(context, 'src', 'main.js'), '// a comment\n');
await caisson('build', '-t', 'demo', '.');
await caisson('images');
await caisson('run', 'demo');
