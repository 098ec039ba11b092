import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asDiffId, digestOf, type Digest } from '@caisson/oci';
import { formId, type FormId } from './paths.ts';
import type { BaseKind } from './layer-forms.ts';
import { prune } from './prune.ts';
import type { Session } from './session.ts';
import { openStore, type Store } from './store.ts';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-forms-'));
  store = await openStore(join(folder, 'store'));
});
afterEach(() => {
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function addTree(session: Session, form: FormId, base?: FormId): Promise<void> {
  const path = session.newPath('tree');
  mkdirSync(path);
  writeFileSync(join(path, 'file'), '');
  await store.forms.adoptTree(session, path, form, { size: 1, base });
  await store.forms.putToc(session, form, '{}');
}

async function addMap(session: Session, form: FormId): Promise<void> {
  const map = session.newPath('map');
  writeFileSync(map, 'map');
  await store.maps.adopt(session, form, { map, tar: undefined });
  await store.forms.putToc(session, form, '{}');
}

/** A step with a layer and its form: a map, or a tree that may lie on what another layer has. */
async function addStep(
  session: Session,
  name: string,
  { kind = 'tree', base }: { readonly kind?: BaseKind; readonly base?: FormId } = {},
): Promise<FormId> {
  const { digest } = await store.blobs.put(session, Readable.from([Buffer.from(name)]));
  const layer = { diffId: asDiffId(digest), size: name.length, contentDigest: digestOf(name) };
  await store.records.put(session, {
    key: keyOf(name),
    keyRecord: { op: 'copy' },
    layer,
    created: '2026-01-01T00:00:00Z',
    stage: '0',
    dockerfile: 'Dockerfile',
    text: 'COPY . .',
  });
  const form = formId('layer', digest);
  await (kind === 'map' ? addMap(session, form) : addTree(session, form, base));
  return form;
}

function loseForm(kind: BaseKind, form: FormId): void {
  const path = kind === 'tree' ? store.forms.treePath(form) : store.maps.path(form, 'map');
  renameSync(path, join(folder, 'elsewhere'));
}

function keyOf(name: string): Digest {
  return digestOf(`key of ${name}`);
}

const KINDS: readonly BaseKind[] = ['tree', 'map'];

describe.skipIf(process.getuid?.() !== 0)('a tree that lies on another layer', () => {
  describe.each(KINDS)('which has a %s', (kind) => {
    test('is found with it', async () => {
      await using session = store.session();
      const base = await addStep(session, 'base', { kind });
      const form = await addStep(session, 'delta', { base });
      expect(await store.forms.treeBase(session, form)).toEqual({ form: base, kind });
      // The next one lies on the same, never on a delta.
      expect(await store.forms.baseFor(session, form)).toEqual({ form: base, kind });
      expect(await store.forms.baseFor(session, base)).toEqual({ form: base, kind });
    });

    test('is removed where that is lost', async () => {
      await using session = store.session();
      const base = await addStep(session, 'base', { kind });
      const form = await addStep(session, 'delta', { base });
      loseForm(kind, base);
      expect(await store.forms.treeBase(session, form)).toBeUndefined();
      expect(existsSync(store.forms.treePath(form))).toBe(false);
    });

    test('is what a layer is shown by for who made a whole tree at the same time', async () => {
      await using session = store.session();
      const base = await addStep(session, 'base', { kind });
      const form = await addStep(session, 'delta', { base });
      await using other = store.session();
      const path = other.newPath('tree');
      mkdirSync(path);
      writeFileSync(join(path, 'file'), '');
      expect(await store.forms.adoptTree(other, path, form, { size: 1 })).toBe(base);
      expect(existsSync(path)).toBe(false);
    });

    test('gives way to a whole tree where what it lies on is lost', async () => {
      await using session = store.session();
      const base = await addStep(session, 'base', { kind });
      const form = await addStep(session, 'delta', { base });
      loseForm(kind, base);
      const path = session.newPath('tree');
      mkdirSync(path);
      writeFileSync(join(path, 'file'), '');
      expect(await store.forms.adoptTree(session, path, form, { size: 1 })).toBe(form);
      expect(await store.forms.treeBase(session, form)).toEqual({ form, kind: 'tree' });
    });

    test('keeps it: prune takes it with the last of those that lie on it', async () => {
      const forms = { base: formId('layer', digestOf('base')), one: formId('layer', digestOf('one')) };
      {
        await using session = store.session();
        await addStep(session, 'base', { kind });
      }
      await using session = store.session();
      await addStep(session, 'one', { base: forms.base });
      await addStep(session, 'two', { base: forms.base });
      await using pruning = store.session();
      // The session holds both deltas, and not what they lie on. The blob is what a map shows.
      const blobs = kind === 'map' ? 0 : 1;
      expect(await prune(store, pruning)).toMatchObject({ steps: 1, blobs, trees: 0, maps: 0 });
      expect(await store.forms.treeBase(pruning, forms.one)).toEqual({ form: forms.base, kind });
      expect(store.forms.mayHaveToc(forms.base)).toBe(true);
      await pruning[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
      await using last = store.session();
      const all = { steps: 2, blobs: 3 - blobs, trees: kind === 'map' ? 2 : 3, maps: kind === 'map' ? 1 : 0 };
      expect(await prune(store, last)).toMatchObject(all);
      expect(await store.forms.list()).toEqual({ trees: [], tocs: [] });
      expect(await store.maps.list()).toEqual({ maps: [], tars: [] });
    });

    test('is not used because others use what it lies on', async () => {
      await using session = store.session();
      const base = await addStep(session, 'base', { kind });
      await using other = store.session();
      await other.hold(`${kind} ${base}`);
      await session[Symbol.asyncDispose]();
      await using adding = store.session();
      await addStep(adding, 'delta', { base });
      await adding[Symbol.asyncDispose]();
      await using pruning = store.session();
      expect(await prune(store, pruning)).toMatchObject({ steps: 1, blobs: 1, trees: 1, maps: 0 });
      expect(await store.records.get(pruning, keyOf('base'))).toBeDefined();
    });
  });

  test('is removed where the blob behind the map of that is lost, or is another', async () => {
    await using session = store.session();
    for (const damage of [(path: string) => rmSync(path), (path: string) => truncateSync(path, 1)]) {
      const base = await addStep(session, 'base', { kind: 'map' });
      const form = await addStep(session, 'delta', { base });
      damage(store.blobs.path(digestOf('base')));
      expect(await store.forms.treeBase(session, form)).toBeUndefined();
      expect(existsSync(store.forms.treePath(form))).toBe(false);
    }
  });

  test('is dropped for a layer that has a map: others may lie on that', async () => {
    await using session = store.session();
    const base = await addStep(session, 'base', { kind: 'map' });
    const form = await addStep(session, 'other', { kind: 'map' });
    await addTree(session, form, base);
    await addTree(session, base, base);
    expect(await store.forms.list()).toMatchObject({ trees: [] });
    expect(await store.forms.baseFor(session, form)).toEqual({ form, kind: 'map' });
  });

  test('is not taken for what others may lie on', async () => {
    await using session = store.session();
    const base = await addStep(session, 'base', { kind: 'map' });
    const middle = await addStep(session, 'middle', { base });
    const form = await addStep(session, 'delta', { base: middle });
    expect(await store.forms.treeBase(session, form)).toBeUndefined();
  });
});

test('a tree that stays is walked by a prune that adds up, and by no other', async () => {
  await using session = store.session();
  const form = formId('layer', digestOf('layer'));
  await addTree(session, form);
  await prune(store, session, { matches: () => false, isMeasured: false });
  expect(store.sizes.measured(`tree ${form}`)).toBeUndefined();
  await prune(store, session, { matches: () => false });
  expect(store.sizes.measured(`tree ${form}`)).toBeDefined();
});
