import { readFile } from 'node:fs/promises';
import { parseIndex } from '@caisson/oci';
import { reportedBuilds, type ReportedBuild } from './build-reports.ts';
import { REF_NAME } from './image-index.ts';
import { StorePaths } from './paths.ts';

/*
 * What completion in a shell asks of a store, which it neither makes, opens nor locks: what cannot be read is not there.
 */

/** The full names of the images in a store. @param root its folder, absolute */
export async function namesIn(root: string): Promise<string[]> {
  const bytes = await readFile(new StorePaths(root).index).catch(() => undefined);
  const index = bytes === undefined ? undefined : parseIndex(bytes);
  if (index?.ok !== true) return [];
  const names = index.value.manifests.map(({ annotations }) => annotations?.[REF_NAME]);
  return names.filter((name) => name !== undefined);
}

/** The builds that a store knows, the last one first. @param root its folder, absolute */
export async function buildsIn(root: string): Promise<ReportedBuild[]> {
  return reportedBuilds(new StorePaths(root)).catch(() => []);
}
