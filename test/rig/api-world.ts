import { rm } from 'node:fs/promises';
import { inject } from 'vitest';
import {
  build,
  CaissonError,
  type Build,
  type BuildEvent,
  type BuildOptions,
  type LostEvents,
} from '../../packages/builder/src/api/index.ts';
import { test as base, type World } from './world.ts';

/** A world that is used from Node. */
export interface ApiWorld extends World {
  /** What all calls have: the store of this world, its context folder, the base images of tests. */
  readonly common: Pick<BuildOptions, 'root' | 'cwd' | 'registry'>;
  /** Builds with {@link ApiWorld.common}. */
  buildImage(options: BuildOptions): Build;
}

/** A test with a world of its own. */
export const test = base.extend<{ api: ApiWorld }>({
  api: async ({ world }, use) => {
    const mirrors = { 'docker.io': [`http://${inject('registry')}`] };
    const common = { root: world.store, cwd: world.context, registry: { mirrors } };
    await use({ ...world, common, buildImage: (options) => build({ ...common, ...options }) });
    await rm(world.store, { recursive: true, force: true });
  },
});

/** All events of a build; its error is for whoever awaits it. */
export async function eventsOf(work: Build): Promise<(BuildEvent | LostEvents)[]> {
  const events: (BuildEvent | LostEvents)[] = [];
  try {
    for await (const event of work) events.push(event);
  } catch {
    // Awaiting the build tells.
  }
  return events;
}

/** What something is rejected with. */
export async function errorOf(work: PromiseLike<unknown>): Promise<CaissonError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof CaissonError) return error;
    throw error;
  }
  throw new Error('it worked');
}
