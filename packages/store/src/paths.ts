import { join } from 'node:path';
import { asDiffId, hexOf, parseDigest, type DiffId, type Digest } from '@caisson/oci';

/**
 * Where things lie in a store. Nothing else in the project joins these names.
 * docs/architecture.md, "The store", says what each is for.
 */
export class StorePaths {
  readonly root: string;

  /** @param root the folder of the store, absolute */
  constructor(root: string) {
    this.root = root;
  }

  readonly #in = (...names: string[]): string => join(this.root, ...names);

  get version(): string {
    return this.#in('store.json');
  }
  get layout(): string {
    return this.#in('oci-layout');
  }
  get index(): string {
    return this.#in('index.json');
  }
  get blobs(): string {
    return this.#in('blobs', 'sha256');
  }
  get trees(): string {
    return this.#in('trees');
  }
  get maps(): string {
    return this.#in('maps');
  }
  get tocs(): string {
    return this.#in('tocs');
  }
  get records(): string {
    return this.#in('records');
  }
  get bases(): string {
    return this.#in('bases');
  }
  get reports(): string {
    return this.#in('reports');
  }
  get logs(): string {
    return this.#in('logs');
  }
  get cacheMounts(): string {
    return this.#in('cache-mounts');
  }
  get builds(): string {
    return this.#in('builds');
  }
  get tmp(): string {
    return this.#in('tmp');
  }
  /** What marks of secrets are made with. */
  get secretKey(): string {
    return this.#in('secret.key');
  }
  get database(): string {
    return this.#in('caisson.db');
  }
  /** Taken by whoever changes index.json. */
  get indexLock(): string {
    return this.#in('index.lock');
  }
  /** Taken by whoever removes a tree that may not be whole. */
  get formsLock(): string {
    return this.#in('forms.lock');
  }
  /** Taken shared by whoever adds to a lease, alone by prune. */
  get storeLock(): string {
    return this.#in('store.lock');
  }

  blob(digest: Digest): string {
    return this.#in('blobs', 'sha256', hexOf(digest));
  }
  tree(form: FormId): string {
    return this.#in('trees', form);
  }
  map(form: FormId): string {
    return this.#in('maps', `${form}.erofs`);
  }
  mapTar(form: FormId): string {
    return this.#in('maps', `${form}.tar`);
  }
  toc(form: FormId): string {
    return this.#in('tocs', `${form}.json`);
  }
  record(key: Digest): string {
    return this.#in('records', `${hexOf(key)}.json`);
  }
  base(name: Digest): string {
    return this.#in('bases', `${hexOf(name)}.json`);
  }
  lease(id: string): string {
    return this.#in('builds', `${id}.lease`);
  }
  tmpOf(id: string): string {
    return this.#in('tmp', id);
  }

  /** Every folder that a store has. */
  get folders(): string[] {
    return [this.blobs, this.trees, this.maps, this.tocs, this.records, this.bases, this.builds, this.tmp];
  }
}

declare const formIdBrand: unique symbol;

/**
 * The name of what is derived from a layer (tree, map, table of contents): a layer that Caisson wrote speaks for itself
 * and goes by its diff id; a base layer means something on top of certain layers only and goes by its chain id.
 */
export type FormId = string & { readonly [formIdBrand]: true };

const FORM_ID = /^(?:layer|chain)-[0-9a-f]{64}$/;

/** Whether a text names what is derived from a layer. */
export function isFormId(text: string): text is FormId {
  return FORM_ID.test(text);
}

/** The name of what is derived from a layer that Caisson wrote, or of a base layer on its chain. */
export function formId(kind: 'layer' | 'chain', digest: Digest): FormId {
  const text = `${kind}-${hexOf(digest)}`;
  if (!isFormId(text)) throw new Error(`Internal error: not a form's name: ${text}`);
  return text;
}

/** The layer that Caisson wrote, by the name of what is derived from it; undefined for one of a base. */
export function ownLayer(form: FormId): DiffId | undefined {
  const diffId = form.startsWith('layer-') ? parseDigest(`sha256:${form.slice('layer-'.length)}`) : undefined;
  return diffId?.ok === true ? asDiffId(diffId.value) : undefined;
}
