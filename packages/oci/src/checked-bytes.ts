import { Digester } from './digest.ts';
import type { Descriptor } from './manifest.ts';

/**
 * The bytes of a blob, checked on the way. The last part of them is given only when all are known to be right: whoever
 * passes them on has not passed on wrong ones as a whole.
 * @param wrong what to throw where they are not what the descriptor says
 */
export async function* checkedBytes(
  source: AsyncIterable<Uint8Array>,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  wrong: () => Error,
): AsyncGenerator<Uint8Array> {
  const digester = new Digester();
  let held: Uint8Array | undefined;
  for await (const chunk of source) {
    digester.update(chunk);
    if (digester.size > size) throw wrong();
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (digester.size !== size || digester.digest() !== digest) throw wrong();
  if (held !== undefined) yield held;
}
