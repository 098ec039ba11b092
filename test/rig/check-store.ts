import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';

const descriptor = z.looseObject({ digest: z.string(), size: z.int() });
const index = z.looseObject({ schemaVersion: z.literal(2), manifests: z.array(descriptor) });
const manifest = z.looseObject({ config: descriptor, layers: z.array(descriptor) });

/**
 * Looks at a store with no code of ours: every blob is what its name says, and the index names nothing that is not
 * there. @returns what is wrong
 */
export function checkStore(root: string): string[] {
  const problems: string[] = [];
  const blobs = join(root, 'blobs/sha256');
  const sizes = new Map<string, number>();
  for (const name of readdirSync(blobs)) {
    const bytes = readFileSync(join(blobs, name));
    if (createHash('sha256').update(bytes).digest('hex') !== name)
      problems.push(`the blob ${name} is damaged`);
    sizes.set(`sha256:${name}`, bytes.length);
  }
  const check = (what: string, { digest, size }: z.infer<typeof descriptor>): boolean => {
    if (sizes.get(digest) === size) return true;
    problems.push(`${what} ${digest} is not there`);
    return false;
  };
  for (const each of index.parse(read(join(root, 'index.json'))).manifests) {
    if (!check('the manifest', each)) continue;
    const image = manifest.parse(read(join(blobs, each.digest.slice('sha256:'.length))));
    check('the config', image.config);
    for (const layer of image.layers) check('the layer', layer);
  }
  for (const name of readdirSync(join(root, 'records'))) read(join(root, 'records', name));
  return problems;
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
