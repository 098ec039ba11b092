import { lstatSync } from 'node:fs';
import { hexOf, type Digest } from '@caisson/oci';
import type { Inventory } from './inventory.ts';
import { tocName, treeName } from './layer-forms.ts';
import { mapFileName } from './layer-maps.ts';
import {
  baseObject,
  blobObject,
  cacheMountObject,
  logsObject,
  recordObject,
  tocObject,
  mapObject,
  treeObject,
  type StoreObject,
} from './objects.ts';
import { formId, ownLayer, type FormId } from './paths.ts';
import type { StepRecord } from './step-records.ts';
import type { Store } from './store.ts';

/** What an entry of the cache is. */
export type EntryKind =
  /** The layer of a step: its blob, tree or map and table of contents, and the records that lead to it. */
  | 'step'
  /** A base image that a build fetched. */
  | 'base image'
  /** An image that lost its name to a newer one. */
  | 'unnamed image'
  /** The mountable form of a layer of an image that the user named. */
  | 'tree'
  | 'cache mount'
  /** A file that ADD fetched, or a blob that nothing needs any more. */
  | 'file'
  /** What the steps of a build wrote. */
  | 'logs'
  /** What nobody can read. */
  | 'unreadable';

/** Something that the cache keeps or drops as a whole. */
export interface CacheEntry {
  readonly kind: EntryKind;
  /** 64 hex digits, or as many as there are: of the layer, the manifest, the base, the folder. */
  readonly id: string;
  /** What it is, for people. */
  readonly title: string;
  /** A blob may belong to several entries; it goes with the last of them. */
  readonly objects: readonly StoreObject[];
  /**
   * In milliseconds since 1970; when it was made, if nothing else is known. Only objects that no other entry has count: each
   * build uses the layers of its base, which does not mean that it used other images on that base.
   */
  readonly lastUse: number;
  /** When it was made, RFC 3339, where that is known. */
  readonly created: string;
  /** Whether a running build holds it: of an image its manifest, since what lies behind that may be others' as well. */
  readonly isInUse: boolean;
  /** The manifest of an unnamed image, which leaves the index with it. */
  readonly manifest?: Digest;
}

type Draft = Pick<CacheEntry, 'kind' | 'id' | 'title' | 'objects'> &
  Partial<Pick<CacheEntry, 'created' | 'manifest'>> & {
    /** What is held whenever it is used, and by nothing else: a record, a manifest. */
    readonly marks?: readonly StoreObject[];
    /** What it needs of another entry, whose use is none of this one. */
    readonly needs?: readonly StoreObject[];
  };

/** What an inventory holds besides the images that the user named. @param held what running builds hold */
export function cacheEntries(store: Store, inventory: Inventory, held: ReadonlySet<string>): CacheEntry[] {
  const drafts = [
    ...stepDrafts(store, inventory),
    ...imageDrafts(store, inventory),
    ...baseDrafts(store, inventory),
  ];
  const claimed = new Set(
    drafts.flatMap(({ objects, needs = [] }) => [...objects, ...needs].map(({ name }) => name)),
  );
  drafts.push(
    ...leftDrafts(store, inventory, claimed),
    ...cacheMountDrafts(store, inventory),
    ...logDrafts(store, inventory),
  );
  const isShared = sharedObjects(inventory, drafts);
  return drafts.map(({ marks = [], needs = [], ...draft }) => ({
    created: '',
    ...draft,
    objects: [...draft.objects, ...needs],
    lastUse: lastUseOf(store, { ...draft, marks }, isShared),
    isInUse: draft.objects.some((object) => held.has(object.name) || object.isLocked?.() === true),
  }));
}

/** Tells what several entries have, or an image that the user named. */
function sharedObjects(inventory: Inventory, drafts: readonly Draft[]): (object: StoreObject) => boolean {
  const shared = namesOfNamedImages(inventory);
  const seen = new Set<string>();
  for (const { objects, needs = [] } of drafts) {
    for (const name of new Set([...objects, ...needs].map((object) => object.name))) {
      if (seen.has(name)) shared.add(name);
      seen.add(name);
    }
  }
  return ({ name }) => shared.has(name);
}

/** The names of everything that images of the user need. */
export function namesOfNamedImages({ images }: Pick<Inventory, 'images'>): Set<string> {
  return new Set(images.filter(({ names }) => names.length > 0).flatMap(({ blobs }) => blobs));
}

/** Several records may lead to one layer: steps that gave the same. */
function stepDrafts(store: Store, inventory: Inventory): Draft[] {
  const byLayer = Map.groupBy(inventory.records, ({ layer }) => layer.diffId);
  return [...byLayer].map(([diffId, records]) => ({
    kind: 'step',
    id: hexOf(diffId),
    title: titleOf(records),
    created: records.map(({ created }) => created).toSorted()[0] ?? '',
    marks: records.map(({ key }) => recordObject(store, key)),
    objects: [
      ...records.map(({ key }) => recordObject(store, key)),
      ...blobsThere(store, inventory, [diffId]),
      ...formsThere(store, inventory, [formId('layer', diffId)]),
    ],
    needs: basesThere(store, inventory, [formId('layer', diffId)]),
  }));
}

function titleOf(records: readonly StepRecord[]): string {
  const [last] = records.toSorted((a, b) => b.created.localeCompare(a.created));
  return last === undefined ? '' : `${last.dockerfile} ${last.stage}: ${last.text}`;
}

function imageDrafts(store: Store, inventory: Inventory): Draft[] {
  const unnamed = inventory.images.filter(({ names }) => names.length === 0);
  return unnamed.map(({ descriptor: { digest }, blobs }) => ({
    kind: 'unnamed image',
    id: hexOf(digest),
    title: '',
    manifest: digest,
    marks: [blobObject(store, digest)],
    objects: blobsThere(store, inventory, [digest]),
    needs: blobsThere(
      store,
      inventory,
      blobs.filter((blob) => blob !== digest),
    ),
  }));
}

function baseDrafts(store: Store, inventory: Inventory): Draft[] {
  return inventory.bases.map(({ base, blobs, forms }) => ({
    kind: 'base image',
    id: hexOf(base.manifest.digest),
    title: `${base.reference} ${base.platform}`,
    marks: [baseObject(store, base)],
    objects: [
      baseObject(store, base),
      ...blobsThere(store, inventory, blobs),
      ...formsThere(store, inventory, forms),
    ],
  }));
}

/** What belongs to no step and no base. */
function leftDrafts(store: Store, inventory: Inventory, claimed: ReadonlySet<string>): Draft[] {
  const named = namesOfNamedImages(inventory);
  const { trees, maps, tars, tocs } = inventory;
  const forms = new Set([...trees, ...maps, ...tars, ...tocs]);
  return [
    ...[...forms]
      .filter((form) => !namesOf(form).some((name) => claimed.has(name)))
      .map((form): Draft => {
        const id = form.replace(/^\w+-/, '');
        const objects = formsThere(store, inventory, [form]);
        return { kind: 'tree', id, title: '', objects, needs: basesThere(store, inventory, [form]) };
      }),
    ...[...inventory.blobs]
      .filter((digest) => !claimed.has(digest) && !named.has(digest))
      .map((digest): Draft => {
        const title = store.lookUps.urlOf(digest) ?? 'a blob that nothing needs any more';
        return { kind: 'file', id: hexOf(digest), title, objects: [blobObject(store, digest)] };
      }),
    ...inventory.strays.map((object): Draft => {
      const file = object.path.split('/').slice(-2).join('/');
      return { kind: 'unreadable', id: file, title: file, objects: [object] };
    }),
  ];
}

function cacheMountDrafts(store: Store, { cacheMounts }: Inventory): Draft[] {
  return cacheMounts.map((slot) => ({
    kind: 'cache mount',
    id: slot,
    title: store.cacheMounts.title(slot),
    objects: [cacheMountObject(store, slot)],
  }));
}

function logDrafts(store: Store, { logs }: Inventory): Draft[] {
  return logs.map((build) => ({
    kind: 'logs',
    id: build,
    title: `of build ${build}`,
    objects: [logsObject(store, build)],
  }));
}

function blobsThere(store: Store, { blobs }: Inventory, digests: readonly Digest[]): StoreObject[] {
  return digests.filter((digest) => blobs.has(digest)).map((digest) => blobObject(store, digest));
}

function formsThere(
  store: Store,
  { trees, maps, tars, tocs }: Inventory,
  forms: readonly FormId[],
): StoreObject[] {
  return [
    ...forms.filter((form) => trees.has(form)).map((form) => treeObject(store, form)),
    ...forms.filter((form) => maps.has(form)).map((form) => mapObject(store, form, 'map')),
    ...forms.filter((form) => tars.has(form)).map((form) => mapObject(store, form, 'tar')),
    ...forms.filter((form) => tocs.has(form)).map((form) => tocObject(store, form)),
  ];
}

/**
 * What trees lie on that are deltas: the tree of another layer, or its map and blob; and what it is compared with for the
 * next delta.
 */
function basesThere(store: Store, inventory: Inventory, forms: readonly FormId[]): StoreObject[] {
  const bases = forms.flatMap((form) => store.forms.baseOf(form) ?? []);
  const mapped = bases.filter((base) => inventory.maps.has(base)).flatMap((base) => ownLayer(base) ?? []);
  return [...formsThere(store, inventory, bases), ...blobsThere(store, inventory, mapped)];
}

function namesOf(form: FormId): string[] {
  return [treeName(form), mapFileName(form, 'map'), mapFileName(form, 'tar'), tocName(form)];
}

/** What others have as well says nothing, unless there is nothing else. */
function lastUseOf(
  store: Store,
  { marks, objects }: Required<Pick<Draft, 'marks' | 'objects'>>,
  isShared: (object: StoreObject) => boolean,
): number {
  const own = [...marks, ...objects.filter((object) => !isShared(object))];
  return Math.max(0, ...(own.length === 0 ? objects : own).map((object) => lastUse(store, object)));
}

function lastUse({ lookUps }: Store, { name, path }: StoreObject): number {
  return lookUps.lastUse(name) ?? lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
