import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { bareEnvironment } from '../rig/caisson.ts';
import { makeConsumer } from '../rig/consumer.ts';
import { OLD_NODE } from '../rig/old-node.ts';
import { packTar } from '../rig/pack-tar.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const FIXTURES = join(CHECKOUT, 'fixtures/consumer');

/** A program in a project that has installed the package. */
async function program(world: World, folder: string, ...args: readonly string[]) {
  return execa(process.execPath, args, {
    cwd: folder,
    env: bareEnvironment(world.store),
    extendEnv: false,
    reject: false,
    all: true,
    timeout: 110_000,
  });
}

function tsc(world: World, folder: string) {
  return program(world, folder, join(CHECKOUT, 'node_modules/typescript/lib/tsc.js'), '-p', '.');
}

/** What an example may find. */
const PROJECT = {
  Dockerfile:
    'FROM busybox AS app\nCOPY src /src\nRUN cat /src/* > /all\nFROM app AS test\nRUN test -s /all\nFROM app\n',
  'src/a.txt': 'a\n',
  '.npmrc': 'token\n',
};

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('the package', () => {
  test.for(['nodenext', 'node16', 'bundler'] as const)(
    'has types that need nothing but those of Node, found by %s',
    async (resolution, { world }) => {
      makeConsumer(world.context, resolution);
      copyFileSync(join(FIXTURES, 'types.ts'), join(world.context, 'types.ts'));
      // The others know nothing of modules that can be required.
      if (resolution === 'nodenext')
        copyFileSync(join(FIXTURES, 'required.cts'), join(world.context, 'required.cts'));
      const { exitCode, all } = await tsc(world, world.context);
      expect(all).toBe('');
      expect(exitCode).toBe(0);
    },
  );

  test('can be imported, and says nothing of its own', async ({ world }) => {
    makeConsumer(world.context);
    const code =
      "import { build } from 'caisson'; const { names } = await build({ context: { Dockerfile: 'FROM scratch\\nCOPY Dockerfile /\\n' }, tags: 'app' }); console.log(names.join());";
    writeFileSync(join(world.context, 'esm.mjs'), code);
    const { all } = await program(world, world.context, '--trace-warnings', 'esm.mjs');
    expect(all).toBe('docker.io/library/app:latest');
  });

  test('ends a program that catches no error with a message that can be read', async ({ world }) => {
    makeConsumer(world.context);
    const code =
      "import { build } from 'caisson'; await build({ context: { Dockerfile: 'FROMM scratch\\n' } });";
    writeFileSync(join(world.context, 'esm.mjs'), code);
    const { all, exitCode } = await program(world, world.context, 'esm.mjs');
    expect(exitCode).toBe(1);
    expect(all).toContain('\nCaissonError: Dockerfile:1: there is no instruction "FROMM"\n');
    expect(Math.max(...(all ?? '').split('\n').map((line) => line.length))).toBeLessThan(300);
  });

  test.skipIf(OLD_NODE === undefined)('says to an old Node which one it needs', async ({ world }) => {
    makeConsumer(world.context);
    world.write({
      'esm.mjs': "import { build } from 'caisson'; console.log(build);",
      'dynamic.mjs': "await import('caisson').catch(({ message }) => console.log(message));",
      'common.cjs': "try { require('caisson') } catch ({ message }) { console.log(message); }",
    });
    const run = (file: string): Promise<string> =>
      execa(OLD_NODE ?? '', [file], { cwd: world.context, reject: false, all: true }).then(({ all }) => all);
    const version = (await execa(OLD_NODE ?? '', ['--version'])).stdout;
    const complaint = `caisson needs Node 24 or newer; this is ${version}`;
    expect(await run('esm.mjs')).toContain(`\nError: ${complaint}\n`);
    expect(await run('dynamic.mjs')).toBe(complaint);
    expect(await run('common.cjs')).toBe(complaint);
    expect(await run('node_modules/caisson/bin/caisson.js')).toBe(
      `${complaint} (npx -p node@24 -p caisson caisson ... brings its own)`,
    );
  });

  test('can be required by CommonJS', async ({ world }) => {
    makeConsumer(world.context);
    copyFileSync(join(FIXTURES, 'common.cjs'), join(world.context, 'common.cjs'));
    const { all } = await program(world, world.context, 'common.cjs');
    expect(all).toBe(
      'docker.io/library/from-commonjs:latest true options.jobs is "many"\nexpected: a whole number from 1',
    );
  });

  test(
    'does what the documents say: each of their examples compiles and runs',
    { timeout: 600_000 },
    async ({ world }) => {
      makeConsumer(world.context);
      world.write(PROJECT);
      const tar = await packTar([{ name: 'Dockerfile', type: 'file', content: 'FROM scratch\nCOPY . /\n' }]);
      world.write({ 'context.tar': tar });
      const examples = ['README.md', 'docs/api.md', 'docs/api-reference.md'].flatMap(examplesOf);
      expect(examples.length).toBeGreaterThan(12);
      for (const { name, code } of examples) writeFileSync(join(world.context, name), code);
      expect((await tsc(world, world.context)).all).toBe('');
      mkdirSync(world.store, { recursive: true, mode: 0o700 });
      for (const { name, where } of examples) {
        const { exitCode, all } = await program(world, world.context, name);
        expect(exitCode, `${where}: ${all}`).toBe(0);
      }
    },
  );
});

/** The examples of a document in TypeScript, each as a program. */
function examplesOf(document: string): { name: string; where: string; code: string }[] {
  const text = readFileSync(join(CHECKOUT, document), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(({ 1: code = '', index }) => {
    const line = text.slice(0, index).split('\n').length;
    const name = `${document.replaceAll(/\W/g, '-')}-${line}.ts`;
    const imports = code.includes("from 'caisson'") ? '' : "import { build, run, watch } from 'caisson';\n";
    return { name, where: `${document}:${line}`, code: `${imports}${code}\nexport {};\n` };
  });
}
