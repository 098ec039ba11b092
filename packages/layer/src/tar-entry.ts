import { cleanPath, climbsOut, compareBytes, textOf, type BytePath } from './byte-path.ts';
import type { NodeEntry } from './entry.ts';
import { LayerError } from './errors.ts';
import type { TarFields } from './tar-header.ts';
import { isKeptXattr } from './xattrs.ts';

/** A name of the archive as a path; one that climbs out of the root is an error, not a guess. @throws LayerError */
export function checkedName(name: string): BytePath {
  if (name.includes('\0')) throw new LayerError('unsafe-layer', 'a name in the layer holds a NUL');
  if (climbsOut(name)) {
    throw new LayerError('unsafe-layer', `the layer names a path outside the root: ${textOf(name)}`, {
      path: textOf(name),
    });
  }
  return cleanPath(name);
}

/** That of every symlink: Linux keeps none for it, whatever the tool that wrote the tar made of that. */
const SYMLINK_MODE = 0o777;

/** The attributes that an entry of a tar says, as a file system has them. */
export function attributesIn({
  type,
  mode,
  uid,
  gid,
  mtime,
  xattrs,
}: TarFields): Pick<NodeEntry, 'mode' | 'uid' | 'gid' | 'mtime' | 'xattrs'> {
  const kept = [...(xattrs ?? [])].filter(([name]) => isKeptXattr(name));
  return {
    mode: type === 'symlink' ? SYMLINK_MODE : mode,
    uid,
    gid,
    mtime,
    ...(kept.length === 0 ? {} : { xattrs: new Map(kept.toSorted(([a], [b]) => compareBytes(a, b))) }),
  };
}

/** The device that an entry of a tar says. @throws LayerError for one that would hide a file */
export function deviceIn(
  path: BytePath,
  { type, major = 0, minor = 0 }: TarFields,
): { major: number; minor: number } {
  if (type === 'char' && major === 0 && minor === 0) {
    throw new LayerError(
      'unsafe-layer',
      `the layer holds the device 0:0 at ${textOf(path)}, which would hide a file`,
      {
        path: textOf(path),
      },
    );
  }
  return { major, minor };
}
