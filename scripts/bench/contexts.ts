import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a Dockerfile. */
export function dockerfile(folder: string, ...lines: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
}

/** Numbers that look random and are the same each time. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647);
}

/**
 * Files of different sizes, a hundred a folder, whose bytes are the same each time.
 * @param source what they are made of; else each repeats a number
 */
export function writeFiles(folder: string, count: number, total: number, source?: Buffer): void {
  const next = numbers(1);
  const average = total / count;
  for (let number = 0; number < count; number++) {
    const parent = join(folder, `folder-${Math.floor(number / 100)}`);
    if (number % 100 === 0) mkdirSync(parent, { recursive: true });
    const size = Math.round(average * (0.2 + (1.6 * (next() % 1000)) / 1000));
    const at = next();
    const bytes = source?.subarray(at % (source.length - size)).subarray(0, size);
    writeFileSync(join(parent, `file-${number}.txt`), bytes ?? Buffer.alloc(size, `${at} `));
  }
}

/** Changes one of those files. */
export function editFile(folder: string): void {
  appendFileSync(join(folder, 'folder-42', 'file-4242.txt'), `${performance.now()}\n`);
}

const WORD_LENGTH = 8;

/** Bytes that compress about as well as programs do: words of a vocabulary, in no order. */
export function words(size: number, seed: number): Buffer {
  const next = numbers(seed + 1);
  const vocabulary = Array.from({ length: 4096 }, () =>
    next().toString(36).padStart(WORD_LENGTH).slice(-WORD_LENGTH),
  );
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += WORD_LENGTH) bytes.write(vocabulary[next() % 4096] ?? '', at, 'latin1');
  return bytes;
}
