import { EPOCH, type TarFields } from '@caisson/layer';
import type { ArchiveRequest } from '../request.ts';
import { writeFileOutput } from './destination.ts';
import { flatFiles, type FlatFile } from './flat-files.ts';
import { placed, type Finished } from './output.ts';
import { tarStream, type TarMember } from './tar-stream.ts';

/** `type=tar`: the files of an image as one archive, those of several in a folder of it each. */
export async function writeFileArchive(
  finished: Finished,
  { destination }: ArchiveRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  await writeFileOutput(destination, tarStream(members(finished)), signal);
}

async function* members(finished: Finished): AsyncGenerator<TarMember> {
  for (const { image, folder } of placed(finished)) {
    if (folder !== '') yield { fields: { ...FOLDER, name: `${folder}/` } };
    const prefix = folder === '' ? '' : `${folder}/`;
    for await (const file of flatFiles(image)) {
      const { content } = file;
      const fields = below(prefix, fieldsOf(file));
      yield content === undefined ? { fields } : { fields, content };
    }
  }
}

const FOLDER = { type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: EPOCH } as const;

/** The same file in a folder of the archive; what a hard link names is in it, too. */
function below(prefix: string, fields: TarFields): TarFields {
  const name = `${prefix}${fields.name}`;
  return fields.type === 'hardlink' && fields.linkName !== undefined
    ? { ...fields, name, linkName: `${prefix}${fields.linkName}` }
    : { ...fields, name };
}

function fieldsOf({ entry, linkTo }: FlatFile): TarFields {
  const { mode, uid, gid, mtime, xattrs, path } = entry;
  const fields = { name: path, mode, uid, gid, mtime, size: 0, ...(xattrs === undefined ? {} : { xattrs }) };
  if (linkTo !== undefined) return { ...fields, type: 'hardlink', linkName: linkTo };
  switch (entry.type) {
    case 'file':
      return { ...fields, type: 'file', size: entry.size };
    case 'directory':
      return { ...fields, type: 'directory', name: `${path}/` };
    case 'symlink':
      return { ...fields, type: 'symlink', linkName: entry.target };
    case 'char':
    case 'block':
      return { ...fields, type: entry.type, major: entry.major, minor: entry.minor };
    case 'fifo':
      return { ...fields, type: 'fifo' };
  }
}
