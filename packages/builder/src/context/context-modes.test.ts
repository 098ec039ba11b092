import { ROOT } from '@caisson/layer';
import { expect, test } from 'vitest';
import { withContextMode } from './context-modes.ts';

const NOW = { seconds: 0, nanoseconds: 0 };
const file = (mode: number) =>
  ({ type: 'file', path: ROOT, mode, uid: 0, gid: 0, mtime: NOW, size: 0 }) as const;

test.each([
  [0o644, 0o644],
  [0o664, 0o644],
  [0o600, 0o644],
  [0o000, 0o644],
  // git looks at what the owner may do.
  [0o611, 0o644],
  [0o700, 0o755],
  [0o775, 0o755],
  [0o4755, 0o755],
])('a file of mode %o counts as %o', (mode, normal) => {
  expect(withContextMode(file(mode), 'normal').mode).toBe(normal);
  expect(withContextMode(file(mode), 'exact').mode).toBe(mode);
});

test('folders are 0755, and what git does not know stays as it is', () => {
  const { size: _none, ...rest } = file(0o2770);
  expect(withContextMode({ ...rest, type: 'directory' }, 'normal').mode).toBe(0o755);
  expect(withContextMode({ ...rest, type: 'fifo' }, 'normal').mode).toBe(0o2770);
});
