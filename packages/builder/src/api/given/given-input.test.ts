import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { ProgramInput } from '../run-options.ts';
import { GivenInput } from './given-input.ts';

async function all(given: ProgramInput): Promise<string> {
  const input = new GivenInput(given);
  let text = '';
  for (let piece = await input.next(); piece !== undefined; piece = await input.next())
    text += Buffer.from(piece).toString();
  input.stop();
  return text;
}

test('an input is read to its end, in small pieces', async () => {
  const large = 'x'.repeat(1_000_000);
  expect(await all(large)).toBe(large);
  expect(((await new GivenInput(large).next()) ?? '').length).toBe(1 << 18);
  expect(await all(Readable.from(['one ', Buffer.from('two')]))).toBe('one two');
  expect(await all(Readable.from([]))).toBe('');
  expect(await all(new Blob(['one ', 'two']).stream())).toBe('one two');
});

test('what a stream fails with is thrown', async () => {
  const wrong = new Error('no more');
  const failing = new Readable({
    read() {
      this.destroy(wrong);
    },
  });
  await expect(all(failing)).rejects.toBe(wrong);
  const gone = Readable.from(['one']);
  gone.destroy();
  expect(await all(gone)).toBe('');
});

test('a stream that is not wanted any more is left alone, with nobody waiting for it', async () => {
  const silent = new Readable({ read() {} });
  const input = new GivenInput(silent);
  const waiting = input.next();
  await new Promise(setImmediate);
  expect(silent.listenerCount('readable')).toBe(1);
  input.stop();
  expect(await waiting).toBeUndefined();
  expect(['readable', 'end', 'close', 'error'].map((event) => silent.listenerCount(event))).toEqual([
    0, 0, 0, 0,
  ]);
  await new Promise(setImmediate);
  expect([silent.destroyed, silent.isPaused()]).toEqual([false, true]);
});
