import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { diffTree, encodeToc, hostPath, LayerError, StateTree, textOf, type Toc } from '@caisson/layer';
import { isFull } from '@caisson/sys';
import { NAMESPACES_HINT, RuntimeError, type RuntimeErrorCode } from '../../errors.ts';
import type { CommitRequest, CommittedLayer } from '../../sandbox-spec.ts';
import { KeptRoots, putLayer } from './kept-roots.ts';
import type { RootMessage, RootReply, RootTask } from './root-trees.ts';

/* The thread that makes roots and layers where nothing can be mounted: one task after another, all calls synchronous. */

/** Devices that may be opened by anybody: null, zero, full, random, urandom, tty, console, ptmx. */
const HARMLESS: ReadonlySet<string> = new Set(['1:3', '1:5', '1:7', '1:8', '1:9', '5:0', '5:1', '5:2']);

const roots = new KeptRoots(checkDevices);

parentPort?.on('message', (message: RootMessage) => parentPort?.postMessage(answer(message)));

function answer({ id, task }: RootMessage): RootReply {
  try {
    return { kind: 'done', id, ...carryOut(task) };
  } catch (error) {
    return { kind: 'failed', id, ...failureOf(error, task) };
  }
}

function carryOut(task: RootTask): { readonly root: string; readonly layer?: CommittedLayer } {
  switch (task.kind) {
    case 'open':
      makeFolder(task.place);
      return { root: roots.open(task.place, task.layers) };
    case 'make': {
      makeFolder(task.place);
      const tree = new StateTree(hostPath(task.place));
      for (const layer of task.layers) putLayer(tree, layer, checkDevices);
      return { root: task.place };
    }
    case 'copy':
      copyFolder(task.from, task.place);
      return { root: task.place };
    case 'commit':
      return { root: task.root, layer: commit(task.root, task.commit) };
    case 'drop':
      roots.drop(task.root);
      return { root: task.root };
  }
}

/** The umask is not asked. */
function makeFolder(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o755);
}

function copyFolder(from: string, to: string): void {
  const { status, stderr, error } = spawnSync('cp', ['-a', '--', from, to], {
    env: { ...process.env, LC_ALL: 'C' },
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  if (status === 0) return;
  const isNoSpace = /No space left|Disk quota exceeded/.test(stderr);
  const said = stderr.trim().split('\n').at(-1) ?? '';
  throw new RuntimeError(isNoSpace ? 'no-space' : 'sandbox-failed', `${from} cannot be copied: ${said}`);
}

function commit(root: string, { tar, toc, latest }: CommitRequest): CommittedLayer {
  const written = diffTree(roots.tree(root), {
    output: hostPath(tar),
    ...(latest === undefined ? {} : { latest }),
  });
  writeFileSync(toc, encodeToc(written.toc), { flag: 'wx', mode: 0o600 });
  const { diffId, contentDigest, size } = written;
  roots.keep(root, diffId);
  return { diffId, contentDigest, size, tree: undefined };
}

/** Without mounts nothing keeps a device of an image closed, unless the container does. */
function checkDevices({ entries }: Toc): void {
  if (isGuarded()) return;
  const device = entries.find(
    (entry) =>
      (entry.type === 'char' || entry.type === 'block') && !HARMLESS.has(`${entry.major}:${entry.minor}`),
  );
  if (device === undefined) return;
  const path = textOf(device.path);
  throw new RuntimeError(
    'unsupported',
    `the image has a device of the machine at /${path}, which a step could open in isolation chroot`,
    { hint: `with namespaces it could not: ${NAMESPACES_HINT}` },
  );
}

function isGuarded(): boolean {
  const data: unknown = workerData;
  return typeof data === 'object' && data !== null && 'isGuarded' in data && data.isGuarded === true;
}

function failureOf(
  error: unknown,
  { kind }: RootTask,
): { readonly code: RuntimeErrorCode; readonly message: string; readonly hint: string | undefined } {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RuntimeError) return { code: error.code, message, hint: error.hint };
  const failed = kind === 'commit' || error instanceof LayerError ? 'commit-failed' : 'sandbox-failed';
  return { code: isFull(error) ? 'no-space' : failed, message, hint: undefined };
}
