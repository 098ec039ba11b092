import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { buildPackage } from '../../scripts/build.ts';

/** Tests run what is published. */
export async function setup(): Promise<void> {
  await rm(fileURLToPath(new URL('../../.caisson/test', import.meta.url)), { recursive: true, force: true });
  await buildPackage();
}
