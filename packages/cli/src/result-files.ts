import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { BuildEvent, BuildResult } from '@caisson/builder';
import type { Descriptor } from '@caisson/oci';
import type { BuildFlags } from './build-options.ts';
import type { Terminal } from './terminal.ts';
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

  /** A registry may have the image in another form than the store. */
  note(event: BuildEvent): void {
    if (event.kind === 'pushed') this.#pushed = event;
  }

  /** @returns whether all could be written; what could not is told */
  async write(result: BuildResult): Promise<boolean> {
    const { iidfile, metadataFile } = this.#flags;
    const metadata = (): string => `${JSON.stringify(this.#metadata(result), undefined, 2)}\n`;
    return (
      (await this.#writeFile(iidfile, 'the image id', () => result.imageId)) &&
      (await this.#writeFile(metadataFile, 'the metadata', metadata))
    );
  }

  async #writeFile(file: string | undefined, what: string, text: () => string): Promise<boolean> {
    if (file === undefined) return true;
    const path = resolve(this.#terminal.cwd, file);
    const failure = { code: 'output', message: `cannot write ${what} to ${path}` } as const;
    return tryFiles(() => writeFile(path, text()), failure, this.#terminal);
  }

  /** The names that docker gives these values. */
  #metadata({ buildId, imageId, manifest, names }: BuildResult): object {
    const { mediaType } = manifest;
    const { digest, size } = this.#pushed ?? manifest;
    return {
      'buildx.build.ref': `caisson/default/${buildId}`,
      'containerimage.config.digest': imageId,
      'containerimage.descriptor': { mediaType, digest, size },
      'containerimage.digest': digest,
      ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
    };
  }
}
