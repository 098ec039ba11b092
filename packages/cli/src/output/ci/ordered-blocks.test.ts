import { expect, test } from 'vitest';
import { OrderedBlocks } from './ordered-blocks.ts';

test('a block that waits keeps its beginning and its end, and says what it leaves out', () => {
  let written = '';
  const blocks = new OrderedBlocks((text) => (written += text));
  const first = blocks.open();
  const second = blocks.open();
  second.add('title\n');
  const line = `${'x'.repeat(1023)}\n`;
  for (let count = 0; count < 5000; count++) second.add(line);
  second.add('end\n');
  second.close();
  expect(written).toBe('');
  first.add('first\n');
  first.close();
  const lines = written.split('\n');
  expect(lines.slice(0, 3)).toEqual(['first', 'title', '... 905 lines left out here: caisson logs']);
  expect(lines.slice(-2)).toEqual(['end', '']);
  expect(written.length).toBeLessThan((4 << 20) + 100);
});
