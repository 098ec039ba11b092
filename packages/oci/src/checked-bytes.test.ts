import { describe, expect, it } from 'vitest';
import { checkedBytes } from './checked-bytes.ts';
import { digestOf } from './digest.ts';

const bytes = Buffer.from('some bytes');
const descriptor = { digest: digestOf(bytes), size: bytes.length };

async function* inParts(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* await Promise.resolve(parts);
}

async function passed(source: AsyncIterable<Uint8Array>): Promise<{ text: string; error?: string }> {
  let text = '';
  try {
    for await (const chunk of checkedBytes(source, descriptor, () => new Error('wrong')))
      text += Buffer.from(chunk).toString();
    return { text };
  } catch (error) {
    return { text, error: error instanceof Error ? error.message : '' };
  }
}

describe('checkedBytes', () => {
  it('gives what is right', async () => {
    expect(await passed(inParts(bytes.subarray(0, 4), bytes.subarray(4)))).toStrictEqual({
      text: 'some bytes',
    });
    expect(await passed(inParts(bytes))).toStrictEqual({ text: 'some bytes' });
  });

  it('never gives the whole of what is wrong', async () => {
    const other = Buffer.from('some bytez');
    expect(await passed(inParts(other.subarray(0, 4), other.subarray(4)))).toStrictEqual({
      text: 'some',
      error: 'wrong',
    });
    expect(await passed(inParts(bytes.subarray(0, 4)))).toStrictEqual({ text: '', error: 'wrong' });
    expect(await passed(inParts(bytes, Buffer.from('!')))).toStrictEqual({ text: '', error: 'wrong' });
  });
});
