import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { mount, MOUNT } from '@caisson/sys';
import type { Lower, MappedLayer } from '../sandbox-spec.ts';

/** Layers that are mounted through their maps: each once, for as long as the host lives. */
export class MappedLayers {
  readonly #folder: string;
  readonly #nameOf: (path: string) => string;
  readonly #mounted = new Map<string, string>();

  /**
   * @param folder where to mount them
   * @param nameOf gives a short name that holds nothing that an option of a mount cannot
   */
  constructor(folder: string, nameOf: (path: string) => string) {
    this.#folder = folder;
    this.#nameOf = nameOf;
  }

  /** Where the files of a layer lie. */
  folderOf(lower: Lower): string {
    if (typeof lower === 'string') return lower;
    // By what lies there, not by its name: a damaged layer may have been replaced by a whole one.
    const id = [lower.map, lower.tar].map((path) => `${path} ${statSync(path).ino}`).join(' ');
    const known = this.#mounted.get(id) ?? this.#mount(lower);
    this.#mounted.set(id, known);
    return known;
  }

  #mount({ map, tar }: MappedLayer): string {
    const target = join(this.#folder, String(this.#mounted.size));
    mkdirSync(target);
    const data = `device=${this.#nameOf(tar)}`;
    mount({ source: this.#nameOf(map), target, type: 'erofs', flags: MOUNT.readOnly | MOUNT.noDev, data });
    return target;
  }
}
