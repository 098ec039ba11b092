import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as z from 'zod/mini';
import { filesOfTar, type ImageFile } from './image-files.ts';

/** A file of an image, with the names that are the same file. */
export type LinkedFile = ImageFile & { readonly links: readonly string[] };

/** An image that some builder made. */
export interface ExportedImage {
  /** All of the config but `history` and `rootfs`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly history: readonly Readonly<Record<string, unknown>>[];
  readonly layers: number;
  /** The files that a container sees, by path without slashes at its ends. */
  readonly files: ReadonlyMap<string, LinkedFile>;
}

const descriptor = z.looseObject({ digest: z.string() });
const index = z.looseObject({ manifests: z.array(descriptor) });
const manifest = z.looseObject({ config: descriptor, layers: z.array(descriptor) });
const imageConfig = z.looseObject({
  history: z.optional(z.array(z.record(z.string(), z.unknown()))),
  rootfs: z.looseObject({ diff_ids: z.array(z.string()) }),
});

/** Reads the first image of an OCI image layout, with no code of ours. @param layout its folder */
export async function readExportedImage(layout: string): Promise<ExportedImage> {
  const blob = (digest: string): Buffer => readFileSync(join(layout, 'blobs', digest.replace(':', '/')));
  const [first] = index.parse(JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'))).manifests;
  if (first === undefined) throw new Error(`${layout} holds no image`);
  const { config, layers } = manifest.parse(JSON.parse(blob(first.digest).toString('utf8')));
  const {
    history = [],
    rootfs,
    ...rest
  } = imageConfig.parse(JSON.parse(blob(config.digest).toString('utf8')));
  const files = await flatten(layers.map(({ digest }) => blob(digest)));
  return { config: rest, history, layers: rootfs.diff_ids.length, files };
}

/** The files that a container sees of layers, tars as they lie in a store, lowest first. */
export async function flatten(layers: readonly Buffer[]): Promise<ReadonlyMap<string, LinkedFile>> {
  const files = new Map<string, LinkedFile>();
  for (const layer of layers) applyLayer(files, await filesOfTar(unpacked(layer)));
  files.delete('');
  return files;
}

function unpacked(bytes: Buffer): Buffer {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

const WHITEOUT = /^(?:(.*)\/)?\.wh\.([^/]*)$/;
const OPAQUE = '.wh..opq';

function applyLayer(files: Map<string, LinkedFile>, layer: ReadonlyMap<string, ImageFile>): void {
  for (const path of layer.keys()) {
    const [isWhiteout, parent = '', name = ''] = WHITEOUT.exec(path) ?? [];
    if (isWhiteout === undefined) continue;
    const inParent = parent === '' ? name : `${parent}/${name}`;
    if (name === OPAQUE) removeBelow(files, parent);
    else remove(files, inParent);
  }
  for (const [path, file] of layer) {
    if (WHITEOUT.test(path)) continue;
    const before = files.get(path);
    if (before !== undefined && !(before.type === 'directory' && file.type === 'directory'))
      remove(files, path);
    if (file.type === 'link') link(files, path, file.target ?? '');
    else files.set(path, { ...file, links: [path] });
  }
}

/** Gives a file another name. */
function link(files: Map<string, LinkedFile>, path: string, target: string): void {
  const file = files.get(target.replace(/^\.?\/+/, ''));
  if (file === undefined) throw new Error(`${path} is a hard link of ${target}, which is not there`);
  const links = [...file.links, path].toSorted();
  for (const each of links) files.set(each, { ...file, links });
}

function remove(files: Map<string, LinkedFile>, path: string): void {
  const file = files.get(path);
  files.delete(path);
  removeBelow(files, path);
  if (file === undefined || file.links.length === 1) return;
  const links = file.links.filter((each) => each !== path);
  for (const each of links) files.set(each, { ...file, links });
}

function removeBelow(files: Map<string, LinkedFile>, folder: string): void {
  for (const path of files.keys()) if (path.startsWith(`${folder}/`)) files.delete(path);
}
