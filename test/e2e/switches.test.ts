import { describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

describe.skipIf(lacks('root'))('switches', () => {
  test('take true and false for a value, as with docker', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    const steps = async (...args: readonly string[]): Promise<string> =>
      /\d+ steps? cached, \d+ ran$/m.exec((await world.ok(['build', ...args, '.'])).stderr)?.[0] ?? 'quiet';
    expect(await steps()).toBe('0 steps cached, 1 ran');
    expect(await steps('--no-cache=true')).toBe('0 steps cached, 1 ran');
    expect(await steps('--no-cache', '--no-cache=false', '-q=0')).toBe('1 step cached, 0 ran');
    expect(await steps('-q=1')).toBe('quiet');
  });

  test('a switch with a value that is none', async ({ world }) => {
    expect(await failureOf(world, ['build', '--no-cache=maybe', '.'])).toMatchInlineSnapshot(`
      "error[usage]: --no-cache takes no value: "--no-cache=maybe"
        expected: --no-cache, --no-cache=true or --no-cache=false
        see caisson build --help
      exit code 2
      "
    `);
    expect(await failureOf(world, ['build', '-q=maybe', '.'])).toMatchInlineSnapshot(`
      "error[usage]: a short flag takes no value: "=maybe"
        expected: nothing, =true or =false
        see caisson build --help
      exit code 2
      "
    `);
  });
});
