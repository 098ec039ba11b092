import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bytesOf, cleanPath, hostPath } from './byte-path.ts';
import { EPOCH, type Entry } from './entry.ts';
import { LayerNodes } from './layer-nodes.ts';
import { Toc } from './toc.ts';
import { TreeWriter } from './tree-writer.ts';
import { ChainView } from './view.ts';

// Root of a container may not set attributes of the kernel's root.
vi.mock('@caisson/sys', async (original) => ({
  ...(await original()),
  setXattr: (_path: unknown, name: string) => {
    throw Object.assign(new Error(`EPERM: ${name}`), { code: 'EPERM' });
  },
}));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-nodes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (text: string) => cleanPath(bytesOf(text));
const attributes = { mode: 0o755, uid: 0, gid: 0, mtime: EPOCH };
const directory = (at: string) => ({ ...attributes, type: 'directory', path: path(at) }) as const;
const symlink = (at: string) => ({ ...attributes, type: 'symlink', path: path(at), target: 'x' }) as const;

describe.skipIf(process.getuid?.() !== 0)('a folder that hides what lies below', () => {
  test('does so by whiteouts where it cannot be marked', () => {
    const below: readonly Entry[] = [
      directory('d'),
      directory('d/both'),
      symlink('d/both/gone'),
      symlink('d/both/kept'),
      symlink('d/gone'),
      directory('d/gone-too'),
      symlink('d/kept'),
      directory('d/other-now'),
      symlink('d/other-now/x'),
    ];
    const root = join(folder, 'tree');
    mkdirSync(root);
    const writer = new TreeWriter(hostPath(root));
    const nodes = new LayerNodes(new ChainView([new Toc(below)]), writer);
    for (const at of ['d', 'd/both']) nodes.putFolder(directory(at));
    for (const at of ['d/both/kept', 'd/kept', 'd/new', 'd/other-now']) {
      writer.makeSymlink(symlink(at));
      nodes.put(symlink(at));
    }
    nodes.makeOpaque(path('d'));
    expect(nodes.finish()).toContainEqual({ ...directory('d'), opaque: true });
    const isWhiteout = (name: string): boolean => lstatSync(join(root, name)).isCharacterDevice();
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted();
    expect(names.map((name) => (isWhiteout(name) ? `no ${name}` : name))).toEqual([
      'd',
      'd/both',
      'no d/both/gone',
      'd/both/kept',
      'no d/gone',
      'no d/gone-too',
      'd/kept',
      'd/new',
      'd/other-now',
    ]);
    // What is written into a folder does not show in its time.
    expect(['d', 'd/both'].map((name) => lstatSync(join(root, name)).mtimeMs)).toEqual([0, 0]);
  });
});
