import { writeFile } from 'node:fs/promises';
import {
  bytesOf,
  encodeToc,
  hostPath,
  LayerWriter,
  parentsOf,
  resolveInRoot,
  ROOT,
  textOf,
  type BytePath,
  type ChainView,
  type DirectoryEntry,
  type WrittenLayer,
} from '@caisson/layer';
import { buildError } from '../failure.ts';
import type { PlannedWorkdir } from '../plan/planned.ts';
import type { KeyRecord } from '../solve/key.ts';
import type { Work } from '../solve/op.ts';
import type { FileState } from '../state.ts';
import { ImageAccounts, type Owner } from './image-accounts.ts';
import { kindIn } from './kind-in.ts';
import { StepOp, type MadeLayer } from './step-op.ts';

/** Raised by whatever changes what a WORKDIR writes. */
const VERSION = 3;

/** `WORKDIR`: a folder that is made where it is missing, for the user of the stage. One that is there stays as it is. */
export class WorkdirOp extends StepOp<PlannedWorkdir> {
  protected override describe(before: FileState): Promise<KeyRecord> {
    const { path, user } = this.step;
    return Promise.resolve(this.keyRecord(VERSION, before, { path, user }));
  }

  protected override async make({ signal }: Work<FileState>, before: FileState): Promise<MadeLayer> {
    const { chains, session } = this.scope;
    const view = await chains.view(before, signal);
    const target = this.#resolve(view);
    const { owner } = await new ImageAccounts(before, view, { chains, signal }).ownerOf(this.step.user);
    const tar = session.newPath('layer');
    const toc = session.newPath('toc');
    const written = this.#write(tar, view, target, owner);
    await writeFile(toc, encodeToc(written.toc), { flag: 'wx', mode: 0o600 });
    return { ...written, tree: undefined, tar, toc };
  }

  #resolve(view: ChainView): BytePath {
    const { path } = this.step;
    const resolved = resolveInRoot((at) => kindIn(view, at), bytesOf(path), 'follow');
    if (resolved.ok && (resolved.kind === undefined || resolved.kind.type === 'directory'))
      return resolved.path;
    throw buildError(
      'bad-destination',
      `the working folder ${path} cannot be made: /${textOf(resolved.path)} is no folder`,
    );
  }

  #write(tar: string, view: ChainView, target: BytePath, owner: Owner): WrittenLayer {
    const writer = new LayerWriter(hostPath(tar));
    const folders = target === ROOT ? [] : [...parentsOf(target), target];
    const isThere = view.lookup(target) !== undefined;
    for (const path of isThere ? [] : folders) {
      const there = view.lookup(path)?.node;
      if (there?.type === 'directory') {
        const { opaque: _not, ...folder } = there;
        writer.add({ ...folder, path }, 'parent');
      } else writer.add(this.#newFolder(path, owner));
    }
    return writer.finish();
  }

  #newFolder(path: BytePath, { uid, gid }: Owner): DirectoryEntry {
    return { type: 'directory', path, mode: 0o755, uid, gid, mtime: this.scope.clock.now() };
  }
}
