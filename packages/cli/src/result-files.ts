import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { BuildEvent, BuildRequest, BuildResult } from '@caisson/builder';
import type { Descriptor, Digest } from '@caisson/oci';
import type { BuildFlags } from './build-options.ts';
import type { Terminal } from './terminal.ts';
import { buildFailureText } from './failure-text.ts';
import { tryFiles } from './try-files.ts';

/** The files that tell programs what a build gave: `--iidfile` and `--metadata-file`. */
export class ResultFiles {
  readonly #flags: Pick<BuildFlags, 'iidfile' | 'metadataFile'>;
  readonly #terminal: Terminal;
  #pushed: Pick<Descriptor, 'digest' | 'size'> | undefined;

  constructor(flags: Pick<BuildFlags, 'iidfile' | 'metadataFile'>, terminal: Terminal) {
    this.#flags = flags;
    this.#terminal = terminal;
  }

  /** Looks whether they can be written, before anything is built. @returns whether they can; what cannot is told */
  async check(request: BuildRequest): Promise<boolean> {
    const { whyNotWritable } = await import('@caisson/builder');
    const { cwd, error, hasColor } = this.#terminal;
    for (const [file, what] of this.#files) {
      const path = resolve(cwd, file);
      const reason = await whyNotWritable(path, request);
      if (reason === undefined) continue;
      const message = `cannot write ${what} to ${path}: ${reason}`;
      error(buildFailureText({ code: 'output', message }, hasColor));
      return false;
    }
    return true;
  }

  /** A registry may have the image in another form than the store. */
  note(event: BuildEvent): void {
    if (event.kind === 'pushed') this.#pushed = event;
  }

  /** The image id; for several platforms the digest of their index: where it was pushed, as it is there. */
  idOf({ imageId, images }: BuildResult): Digest {
    return images.length === 1 ? imageId : (this.#pushed?.digest ?? imageId);
  }

  /** @returns whether all could be written; what could not is told */
  async write(result: BuildResult): Promise<boolean> {
    const texts = {
      'the image id': () => this.idOf(result),
      'the metadata': () => `${JSON.stringify(this.#metadata(result), undefined, 2)}\n`,
    };
    for (const [file, what] of this.#files) {
      const path = resolve(this.#terminal.cwd, file);
      const failure = { code: 'output', message: `cannot write ${what} to ${path}` } as const;
      if (!(await tryFiles(() => writeFile(path, texts[what]()), failure, this.#terminal))) return false;
    }
    return true;
  }

  /** Those that were asked for, and what is in them. */
  get #files(): (readonly [string, 'the image id' | 'the metadata'])[] {
    const { iidfile, metadataFile } = this.#flags;
    return [
      ...(iidfile === undefined ? [] : [[iidfile, 'the image id'] as const]),
      ...(metadataFile === undefined ? [] : [[metadataFile, 'the metadata'] as const]),
    ];
  }

  /** The names that docker gives these values. */
  #metadata({ buildId, imageId, manifest, images, names }: BuildResult): object {
    const { mediaType } = manifest;
    const { digest, size } = this.#pushed ?? manifest;
    return {
      'buildx.build.ref': `caisson/default/${buildId}`,
      ...(images.length === 1 ? { 'containerimage.config.digest': imageId } : {}),
      'containerimage.descriptor': { mediaType, digest, size },
      'containerimage.digest': digest,
      ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
    };
  }
}
