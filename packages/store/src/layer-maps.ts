import { existsSync, lstatSync } from 'node:fs';
import { chmod, readdir, rename, rm } from 'node:fs/promises';
import type { DiffId } from '@caisson/oci';
import { errorCode } from '@caisson/sys';
import { fileUsage } from './disk-usage.ts';
import { formId, isFormId, ownLayer, type FormId, type StorePaths } from './paths.ts';
import type { Room } from './room.ts';
import type { Seen } from './seen.ts';
import type { Session } from './session.ts';
import type { Sizes } from './sizes.ts';

/** What is there of the map of a layer: the map, and the tar beside it. */
export type MapFile = 'map' | 'tar';

/** The files of a map that is given its name. */
export interface MapFiles {
  readonly map: string;
  /** The layer without its compression, where no blob is that. */
  readonly tar: string | undefined;
}

const WRITABLE = 0o200;
const SEALED = 0o400;
const MAP = /^(.*)\.erofs$/;
const TAR = /^(.*)\.tar$/;

/**
 * Maps of layers, through which their tars are mounted as they are. Where a layer is kept compressed, its tar lies
 * beside its map. Both can be made again from the blob at any time, so one that is lost or doubtful is not there.
 */
export class LayerMaps {
  readonly #paths: StorePaths;
  readonly #seen: Seen;
  readonly #sizes: Sizes;
  readonly #room: Room;

  constructor(paths: StorePaths, known: { readonly seen: Seen; readonly sizes: Sizes; readonly room: Room }) {
    this.#paths = paths;
    this.#seen = known.seen;
    this.#sizes = known.sizes;
    this.#room = known.room;
  }

  /** Where a file of a map lies, if it does. To be used by those who hold it. */
  path(form: FormId, file: MapFile): string {
    return file === 'map' ? this.#paths.map(form) : this.#paths.mapTar(form);
  }

  /** Whether files of a map are there, as they were written. Those of which nobody knows that count as lost. */
  async has(session: Session, form: FormId, files: readonly MapFile[]): Promise<boolean> {
    await session.hold(...files.map((file) => mapFileName(form, file)));
    return files.every((file) => {
      const path = this.path(form, file);
      return existsSync(path) && this.#seen.trust(mapFileName(form, file), path) === 'known';
    });
  }

  /** Gives complete files of the session's their names. */
  async adopt(session: Session, form: FormId, { map, tar }: MapFiles): Promise<void> {
    if (tar !== undefined) await this.#adopt(session, form, 'tar', tar);
    await this.#adopt(session, form, 'map', map);
  }

  async #adopt(session: Session, form: FormId, file: MapFile, from: string): Promise<void> {
    const name = mapFileName(form, file);
    const path = this.path(form, file);
    await this.#room.for(fileUsage(from));
    await session.hold(name);
    await rename(from, path);
    this.#seen.remember(name, path);
    this.#sizes.set(name, fileUsage(path), 'measured');
  }

  /** Whether a file of a map is there, without holding it. */
  mayHave(form: FormId, file: MapFile): boolean {
    return existsSync(this.path(form, file));
  }

  /** Whether the tar of a layer may be mounted somewhere through a map, also through one that is gone by now. */
  mayBeMounted(layer: DiffId): boolean {
    const tar = lstatSync(this.#paths.blob(layer), { throwIfNoEntry: false });
    return this.mayHave(formId('layer', layer), 'map') || (tar !== undefined && (tar.mode & WRITABLE) === 0);
  }

  async remove(form: FormId, file: MapFile): Promise<void> {
    if (file === 'map') await this.#sealTar(form);
    const name = mapFileName(form, file);
    this.#seen.forget(name);
    this.#sizes.forget(name);
    await rm(this.path(form, file), { force: true });
  }

  /** Notes at a tar that outlives its map that it may be mounted still: its bytes must stay as they are. */
  async #sealTar(form: FormId): Promise<void> {
    const layer = ownLayer(form);
    if (layer === undefined || !this.mayHave(form, 'map')) return;
    try {
      await chmod(this.#paths.blob(layer), SEALED);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }

  /** The layers that have a map, and those that have a tar beside it. */
  async list(): Promise<{ readonly maps: FormId[]; readonly tars: FormId[] }> {
    const names = await readdir(this.#paths.maps);
    const formsOf = (pattern: RegExp): FormId[] =>
      names.map((name) => pattern.exec(name)?.[1] ?? '').filter((name) => isFormId(name));
    return { maps: formsOf(MAP), tars: formsOf(TAR) };
  }
}

/** The name under which a file of a map is held. */
export function mapFileName(form: FormId, file: MapFile): string {
  return `${file} ${form}`;
}
