import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asDiffId, digestOf, type Digest } from '@caisson/oci';
import { formId, type FormId } from './paths.ts';
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

/** A step with a layer and its tree. */
async function addStep(session: Session, name: string, base?: FormId): Promise<FormId> {
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
  await addTree(session, form, base);
  return form;
}

function keyOf(name: string): Digest {
  return digestOf(`key of ${name}`);
}

describe.skipIf(process.getuid?.() !== 0)('a tree that lies on another one', () => {
  test('is found with it', async () => {
    await using session = store.session();
    const base = await addStep(session, 'base');
    const form = await addStep(session, 'delta', base);
    expect(await store.forms.tree(session, form)).toEqual([
      store.forms.treePath(base),
      store.forms.treePath(form),
    ]);
    expect(await store.forms.treeBase(session, form)).toBe(base);
    expect(await store.forms.treeBase(session, base)).toBe(base);
  });

  test('is removed where that is lost', async () => {
    await using session = store.session();
    const base = await addStep(session, 'base');
    const form = await addStep(session, 'delta', base);
    renameSync(store.forms.treePath(base), join(folder, 'elsewhere'));
    expect(await store.forms.tree(session, form)).toBeUndefined();
    expect(existsSync(store.forms.treePath(form))).toBe(false);
  });

  test('is what a layer is shown by for who made a whole tree at the same time', async () => {
    await using session = store.session();
    const base = await addStep(session, 'base');
    const form = await addStep(session, 'delta', base);
    await using other = store.session();
    const path = other.newPath('tree');
    mkdirSync(path);
    writeFileSync(join(path, 'file'), '');
    const shown = await store.forms.adoptTree(other, path, form, { size: 1 });
    expect(shown).toEqual([store.forms.treePath(base), store.forms.treePath(form)]);
    expect(existsSync(path)).toBe(false);
  });

  test('gives way to a whole tree where what it lies on is lost', async () => {
    await using session = store.session();
    const base = await addStep(session, 'base');
    const form = await addStep(session, 'delta', base);
    renameSync(store.forms.treePath(base), join(folder, 'elsewhere'));
    const path = session.newPath('tree');
    mkdirSync(path);
    writeFileSync(join(path, 'file'), '');
    expect(await store.forms.adoptTree(session, path, form, { size: 1 })).toEqual([
      store.forms.treePath(form),
    ]);
    expect(await store.forms.tree(session, form)).toEqual([store.forms.treePath(form)]);
  });

  test('keeps it: prune takes it with the last of those that lie on it', async () => {
    const forms = { base: formId('layer', digestOf('base')), one: formId('layer', digestOf('one')) };
    {
      await using session = store.session();
      await addStep(session, 'base');
    }
    await using session = store.session();
    await addStep(session, 'one', forms.base);
    await addStep(session, 'two', forms.base);
    await using pruning = store.session();
    // The session holds both deltas, and not what they lie on.
    expect(await prune(store, pruning)).toMatchObject({ steps: 1, blobs: 1, trees: 0 });
    expect(await store.forms.tree(pruning, forms.one)).toHaveLength(2);
    expect(store.forms.mayHaveToc(forms.base)).toBe(true);
    await pruning[Symbol.asyncDispose]();
    await session[Symbol.asyncDispose]();
    await using last = store.session();
    expect(await prune(store, last)).toMatchObject({ steps: 2, blobs: 2, trees: 3 });
    expect(await store.forms.list()).toEqual({ trees: [], tocs: [] });
  });

  test('is not used because others use what it lies on', async () => {
    await using session = store.session();
    const base = await addStep(session, 'base');
    {
      await using other = store.session();
      await other.hold(`tree ${base}`);
      await session[Symbol.asyncDispose]();
      await using adding = store.session();
      await addStep(adding, 'delta', base);
      await adding[Symbol.asyncDispose]();
      await using pruning = store.session();
      expect(await prune(store, pruning)).toMatchObject({ steps: 1, blobs: 1, trees: 1 });
      expect(await store.records.get(pruning, keyOf('base'))).toBeDefined();
    }
  });
});
