import type { TarFields } from '@caisson/layer';
import type { ArchiveRequest } from '../request.ts';
import { writeFileOutput } from './destination.ts';
import { flatFiles, type FlatFile } from './flat-files.ts';
import type { FinishedImage } from './output.ts';
import { tarStream, type TarMember } from './tar-stream.ts';

/** `type=tar`: the files of the image as one archive. */
export async function writeFileArchive(
  image: FinishedImage,
  { destination }: ArchiveRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  await writeFileOutput(destination, tarStream(members(image)), signal);
}

async function* members(image: FinishedImage): AsyncGenerator<TarMember> {
  for await (const file of flatFiles(image)) {
    const fields = fieldsOf(file);
    yield file.content === undefined ? { fields } : { fields, content: file.content };
  }
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
