import { createReadStream } from 'node:fs';
import { encodeTarHeader, fsPath, TAR_BLOCK, type Content, type TarFields } from '@caisson/layer';

/** A member of an archive. */
export interface TarMember {
  readonly fields: TarFields;
  /** The bytes of a file: as many as `fields.size` says. */
  readonly content?: Content | AsyncIterable<Uint8Array>;
}

const CHUNK = 1 << 20;

/** The bytes of a tar archive. */
export async function* tarStream(members: AsyncIterable<TarMember>): AsyncGenerator<Uint8Array> {
  for await (const { fields, content } of members) {
    yield encodeTarHeader(fields);
    if (content === undefined) continue;
    let written = 0;
    for await (const chunk of bytesOf(content, fields.size)) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== fields.size) throw new Error(`Internal error: ${fields.name} has another size than said`);
    const padding = (TAR_BLOCK - (written % TAR_BLOCK)) % TAR_BLOCK;
    if (padding > 0) yield new Uint8Array(padding);
  }
  yield new Uint8Array(2 * TAR_BLOCK);
}

async function* bytesOf(
  content: Content | AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array> {
  if (Symbol.asyncIterator in content) yield* content;
  else if (content.kind === 'bytes') yield content.bytes;
  else if (size > 0) {
    const { path, offset = 0 } = content;
    const range = { start: offset, end: offset + size - 1, highWaterMark: CHUNK };
    for await (const chunk of createReadStream(fsPath(path), range)) {
      if (chunk instanceof Uint8Array) yield chunk;
    }
  }
}
