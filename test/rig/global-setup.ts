import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { buildPackage } from '../../scripts/build.ts';
import { pushBaseImages } from './push-base-images.ts';
import { startRegistry } from './registry.ts';
import { lacks } from './tools.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A registry with base images, for all suites; empty where docker-registry or busybox is missing. */
    registry: string;
  }
}

const FOLDER = fileURLToPath(new URL('../../.caisson/test', import.meta.url));

/** Tests run what is published, on base images of a real registry. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await rm(FOLDER, { recursive: true, force: true });
  await buildPackage();
  if (lacks('docker-registry', 'busybox')) {
    project.provide('registry', '');
    return () => Promise.resolve();
  }
  const registry = await startRegistry(join(FOLDER, 'registries'));
  await pushBaseImages(registry.host);
  project.provide('registry', registry.host);
  return async () => {
    await registry[Symbol.asyncDispose]();
  };
}
