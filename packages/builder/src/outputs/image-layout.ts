import { rm, rename } from 'node:fs/promises';
import { createWriteStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { basename, dirname, join } from 'node:path';
import {
  familiarName,
  hexOf,
  MEDIA_TYPES,
  parseReference,
  platformIndex,
  type Descriptor,
  type Digest,
  type Manifest,
} from '@caisson/oci';
import { makeFolders } from '@caisson/sys';
import type { Emit } from '../events.ts';
import type { LayoutRequest } from '../request.ts';
import { compressImage, once, type CompressedImage } from './compressed-image.ts';
import { outputError, STANDARD_OUTPUT, writeFileOutput } from './destination.ts';
import type { Finished } from './output.ts';
import { tarStream, type TarMember } from './tar-stream.ts';

/** A file of an image layout. */
interface LayoutFile {
  readonly name: string;
  readonly size: number;
  read(): AsyncIterable<Uint8Array>;
}

/**
 * `type=oci` and `type=docker`: an image layout, layers as they lie in the store where nothing else is asked for. Several images
 * are behind an index of their own. For docker it also has what `docker load` of any age reads.
 * @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export async function writeImageLayout(
  { images, names, ...places }: Finished,
  { type, destination, compression = 'none' }: LayoutRequest,
  emit: Emit,
  signal: AbortSignal | undefined,
): Promise<void> {
  const name = typeof destination === 'string' && destination !== STANDARD_OUTPUT ? destination : type;
  await using stack = new AsyncDisposableStack();
  const written: CompressedImage[] = [];
  for (const image of images)
    written.push(stack.use(await compressImage(image, { ...places, compression, name, emit, signal })));
  const files = layoutFiles(written, names, type === 'docker');
  if (type === 'oci' && typeof destination === 'string' && isLayoutFolder(destination))
    await writeFolder(files, destination, signal);
  else await writeFileOutput(destination, tarStream(members(files)), signal);
}

/** Whether `type=oci` is a folder there, and no archive. */
export function isLayoutFolder(destination: string): boolean {
  if (destination === STANDARD_OUTPUT) return false;
  if (destination.endsWith('/')) return true;
  try {
    return statSync(destination).isDirectory();
  } catch {
    return false; // who writes there tells why that does not work
  }
}

function layoutFiles(
  images: readonly CompressedImage[],
  names: readonly string[],
  forDocker: boolean,
): LayoutFile[] {
  const [only, ...others] = images;
  if (only === undefined) throw new Error('Internal error: no image');
  const index = others.length === 0 ? undefined : platformIndex(images);
  const top = index?.descriptor ?? only.descriptor;
  const manifests = images.map(({ manifest }) => dockerManifest(manifest, names));
  const blobs = new Map(images.flatMap((image) => blobsOf(image).map((blob) => [blob.name, blob])));
  return [
    bytesFile('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
    bytesFile('index.json', JSON.stringify(indexOf(top, names))),
    ...(forDocker ? [bytesFile('manifest.json', JSON.stringify(manifests))] : []),
    ...(index === undefined ? [] : [bytesFile(blobName(index.descriptor.digest), index.bytes)]),
    ...blobs.values(),
  ];
}

function blobsOf({ manifest, descriptor, read }: CompressedImage): LayoutFile[] {
  return [descriptor, manifest.config, ...manifest.layers].map(({ digest, size }) => ({
    name: blobName(digest),
    size,
    read: () => read(digest),
  }));
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function bytesFile(name: string, content: string | Uint8Array): LayoutFile {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  return {
    name,
    size: bytes.length,
    read: () => once(bytes),
  };
}

function indexOf(descriptor: Descriptor, names: readonly string[]): object {
  const plain: Descriptor = {
    mediaType: descriptor.mediaType,
    digest: descriptor.digest,
    size: descriptor.size,
  };
  const manifests =
    names.length === 0 ? [plain] : names.map((name) => ({ ...plain, annotations: annotationsOf(name) }));
  return { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
}

/** The names under which skopeo and podman (the tag) and containerd (the whole name) look for an image. */
function annotationsOf(name: string): Record<string, string> {
  const reference = parseReference(name);
  const tag = reference.ok ? reference.value.tag : undefined;
  return {
    'io.containerd.image.name': name,
    ...(tag === undefined ? {} : { 'org.opencontainers.image.ref.name': tag }),
  };
}

function dockerManifest(manifest: Manifest, names: readonly string[]): object {
  const tags = names.flatMap((name) => {
    const reference = parseReference(name);
    return reference.ok ? [familiarName(reference.value)] : [];
  });
  return {
    Config: blobName(manifest.config.digest),
    RepoTags: tags,
    Layers: manifest.layers.map(({ digest }) => blobName(digest)),
  };
}

async function* members(files: readonly LayoutFile[]): AsyncGenerator<TarMember> {
  const attributes = { uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } };
  for (const name of await Promise.resolve(['blobs/', 'blobs/sha256/'])) {
    yield { fields: { ...attributes, type: 'directory', name, mode: 0o755, size: 0 } };
  }
  for (const file of files) {
    const { name, size } = file;
    yield { fields: { ...attributes, type: 'file', name, mode: 0o644, size }, content: file.read() };
  }
}

/** Writes beside the place and moves there: a folder that is a layout already is replaced, anything else is not. */
async function writeFolder(
  files: readonly LayoutFile[],
  destination: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const target = destination.replace(/\/+$/, '');
  const part = join(dirname(target), `.${basename(target)}.${process.pid}.part`);
  try {
    makeFolders(join(part, 'blobs', 'sha256'));
    for (const file of files) {
      signal?.throwIfAborted();
      await pipeline(file.read(), createWriteStream(join(part, file.name)));
    }
    await replaceFolder(part, target);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw outputError(destination, error);
  }
}

async function replaceFolder(part: string, target: string): Promise<void> {
  if (statSync(join(target, 'oci-layout'), { throwIfNoEntry: false }) !== undefined) {
    await rm(target, { recursive: true });
  }
  await rename(part, target); // fails, as it should, where a folder that is no layout holds something
}
