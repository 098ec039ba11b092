import { createWriteStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hostPath, type HostPath } from '@caisson/layer';
import type { Session } from '@caisson/store';
import { unpackArchive } from '../copy/archive.ts';
import type { RemoteFiles } from '../copy/remote-files.ts';
import type { GitRepositories } from '../git/git-repositories.ts';
import { redactUrl } from '@caisson/registry/errors';
import type { ContextSource } from './context-source.ts';
import { writeGivenContext } from './given-context.ts';

/** A context that lies there, ready to be read. */
export type OpenedContext =
  | {
      readonly kind: 'folder';
      readonly path: string;
      /** Whether it is a folder of the user's, which may have an ignore file; else it was made for this build. */
      readonly isLocal: boolean;
    }
  /** It is a file, and no archive. */
  | { readonly kind: 'file'; readonly path: string };

/** What fetching and unpacking contexts needs. */
export interface ContextTools {
  readonly session: Session;
  readonly remote: RemoteFiles;
  readonly git: GitRepositories;
  readonly signal: AbortSignal;
}

/**
 * Fetches a context, and unpacks it where it is an archive.
 * @param title what messages call it
 * @throws BuildError `fetch-failed`, `missing-source`, `bad-archive`
 */
export async function openContext(
  source: ContextSource,
  title: string,
  { session, remote, git, signal }: ContextTools,
  { keepsGitFolder }: { readonly keepsGitFolder: boolean },
): Promise<OpenedContext> {
  switch (source.kind) {
    case 'folder':
      return { kind: 'folder', path: source.path, isLocal: true };
    case 'file':
      return unpacked(hostPath(source.path), basename(source.path), session, signal);
    case 'stream': {
      const received = session.newPath('context');
      await pipeline(source.bytes, createWriteStream(received, { flags: 'wx', mode: 0o600 }), { signal });
      return unpacked(hostPath(received), title, session, signal);
    }
    case 'given': {
      const folder = session.newPath('context');
      await writeGivenContext(source.pieces, folder, signal);
      return { kind: 'folder', path: folder, isLocal: false };
    }
    case 'url': {
      const { path } = await remote.get(source.url.href, signal);
      return unpacked(path, redactUrl(source.url), session, signal);
    }
    case 'git': {
      const keeps = source.reference.keepsGitFolder ?? keepsGitFolder;
      return { kind: 'folder', path: await git.checkOut(source.reference, keeps, signal), isLocal: false };
    }
  }
}

async function unpacked(
  path: HostPath,
  name: string,
  session: Session,
  signal: AbortSignal,
): Promise<OpenedContext> {
  const folder = session.newPath('context');
  const isArchive = await unpackArchive(path, name, folder, signal);
  if (isArchive) return { kind: 'folder', path: folder, isLocal: false };
  return { kind: 'file', path: Buffer.from(path, 'latin1').toString('utf8') };
}
