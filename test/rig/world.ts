import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { inject, test as base } from 'vitest';
import { caisson, type CaissonOptions, type Ended } from './caisson.ts';
import { mirrorDockerHub } from './mirror.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** A folder of one test's own: a store, a context, a home. */
export interface World {
  readonly folder: string;
  readonly store: string;
  /** The build context: what {@link World.write} writes to, and where commands are run. */
  readonly context: string;
  /** Writes files into the context. */
  write(files: Readonly<Record<string, string | Uint8Array>>): void;
  /** Puts a file into the context at one stroke: nobody sees half of it. */
  replace(name: string, content: string): void;
  /** Runs Caisson in the context. */
  run(args: readonly string[], options?: Partial<CaissonOptions>): Promise<Ended>;
  /** Runs Caisson, which must end well; shows what it said if it does not. */
  ok(args: readonly string[], options?: Partial<CaissonOptions>): Promise<Ended>;
  /** Builds the context. @returns the image id */
  build(args?: readonly string[], options?: Partial<CaissonOptions>): Promise<string>;
}

/** Makes a world. Its folder lies in the checkout: /tmp may be in memory, and / may be an overlay. */
export function makeWorld(): World {
  const parent = join(CHECKOUT, '.caisson', 'test');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'world-'));
  const [store, context] = [join(folder, 'store'), join(folder, 'context')];
  mkdirSync(context);
  mirrorDockerHub(join(folder, 'home'), inject('registry'));
  const run: World['run'] = (args, options = {}) => caisson(args, { root: store, cwd: context, ...options });
  const ok: World['ok'] = async (args, options) => {
    const ended = await run(args, options);
    if (ended.exitCode === 0) return ended;
    throw new Error(
      `caisson ${args.join(' ')} ended with ${ended.exitCode}:\n${ended.stderr}${ended.stdout}`,
    );
  };
  return {
    folder,
    store,
    context,
    run,
    ok,
    write(files) {
      for (const [name, content] of Object.entries(files)) {
        const path = join(context, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, content);
      }
    },
    replace(name, content) {
      const next = join(folder, 'next');
      writeFileSync(next, content);
      renameSync(next, join(context, name));
    },
    async build(args = [], options = {}) {
      const { stdout } = await ok(['build', '-q', ...args, '.'], options);
      return stdout.trim();
    },
  };
}

/** Removes a world; its paths may be longer than Node can name. */
export async function removeWorld(world: World): Promise<void> {
  await rm(world.folder, { recursive: true, force: true }).catch(() => execa('rm', ['-rf', world.folder]));
}

/** A test with a world of its own. */
export const test = base.extend<{ world: World }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest wants a pattern to see what the fixture needs
  world: async ({}, use) => {
    const world = makeWorld();
    await use(world);
    await removeWorld(world);
  },
});
