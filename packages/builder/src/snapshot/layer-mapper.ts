import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { hostPath, unmappable, writeMap, type Applied, type HostPath, type Toc } from '@caisson/layer';
import type { MappedLayer } from '@caisson/runtime';
import { removeTreeLater, type MapFile, type Session, type Store } from '@caisson/store';
import { isPlain, layerAt, type StateLayer } from '../state.ts';
import type { LayerProvider } from './chains.ts';

/** What maps of layers are made from. */
interface Reading {
  readonly provide: LayerProvider;
  readonly toc: (layers: readonly StateLayer[], index: number) => Promise<Toc>;
  /** Reads a layer on those below it. @param tar a new file, for what it is without compression */
  readonly apply: (
    layers: readonly StateLayer[],
    index: number,
    tar: HostPath | undefined,
  ) => Promise<Applied>;
}

/** Makes maps of layers, through which their tars can be mounted as they are. */
export class LayerMapper {
  readonly #store: Store;
  readonly #session: Session;
  readonly #reading: Reading;

  constructor(store: Store, session: Session, reading: Reading) {
    this.#store = store;
    this.#session = session;
    this.#reading = reading;
  }

  /** A layer with its map, which is made where it is not there; undefined for a layer that has none. */
  async map(layers: readonly StateLayer[], index: number): Promise<MappedLayer | undefined> {
    const layer = layerAt(layers, index);
    if (await this.#provided(layer)) return this.#mapped(layer);
    // To read it may be to make its map.
    const toc = await this.#reading.toc(layers, index);
    if (await this.#provided(layer)) return this.#mapped(layer);
    if (unmappable(toc) !== undefined) return undefined;
    if (isPlain(layer)) await this.#keep(layer, toc, undefined);
    else await this.make(layers, index);
    return (await this.#provided(layer)) ? this.#mapped(layer) : undefined;
  }

  /** Reads a layer and makes its map, if it can have one. */
  async make(layers: readonly StateLayer[], index: number): Promise<Applied> {
    const layer = layerAt(layers, index);
    const folder = this.#session.newPath('map');
    await mkdir(folder);
    try {
      const tar = isPlain(layer) ? undefined : hostPath(join(folder, 'tar'));
      const applied = await this.#reading.apply(layers, index, tar);
      if (unmappable(applied.toc) === undefined) await this.#keep(layer, applied.toc, tar);
      return applied;
    } finally {
      await removeTreeLater(folder);
    }
  }

  async #keep({ form }: StateLayer, toc: Toc, tar: string | undefined): Promise<void> {
    const map = this.#session.newPath('map');
    writeMap(toc, hostPath(map));
    await this.#store.maps.adopt(this.#session, form, { map, tar });
  }

  /** Whether a layer has its map, and beside that its tar where it is compressed. */
  isThere(layer: StateLayer): Promise<boolean> {
    const files: readonly MapFile[] = isPlain(layer) ? ['map'] : ['map', 'tar'];
    return this.#store.maps.has(this.#session, layer.form, files);
  }

  /** Whether map and tar are there. A layer that is not compressed is brought, if it is not there. */
  async #provided(layer: StateLayer): Promise<boolean> {
    if (!(await this.isThere(layer))) return false;
    if (isPlain(layer)) await this.#reading.provide(layer);
    return true;
  }

  #mapped(layer: StateLayer): MappedLayer {
    const { maps, blobs } = this.#store;
    const tar = isPlain(layer) ? blobs.path(layer.diffId) : maps.path(layer.form, 'tar');
    return { map: maps.path(layer.form, 'map'), tar };
  }
}
