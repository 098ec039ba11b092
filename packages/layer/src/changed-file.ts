import { errorCode } from '@caisson/sys';
import { textOf, type HostPath } from './byte-path.ts';
import { LayerError } from './errors.ts';

/** What the kernel says where there is nothing any more, or a file in place of a folder of the path. */
const IS_GONE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ESTALE']);
/** What it says where a folder, a pipe, a link or a socket is by now. */
const IS_OTHER: ReadonlySet<string | undefined> = new Set(['EISDIR', 'ESPIPE', 'ELOOP', 'ENXIO']);

/** The error of a file or folder that is not as it was when it was looked at. */
export function changedWhileRead(path: HostPath, how = 'changed'): LayerError {
  const text = textOf(path);
  return new LayerError('changed-while-read', `${text} ${how} while it was read`, { path: text });
}

/** What an error means that came of reading something that had been there: that it is not any more, or what it says. */
export function readingError(error: unknown, path: HostPath): unknown {
  const code = errorCode(error);
  if (IS_GONE.has(code)) return changedWhileRead(path, 'went away');
  return IS_OTHER.has(code) ? changedWhileRead(path) : error;
}
