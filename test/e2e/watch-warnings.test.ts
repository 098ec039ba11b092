import { describe, expect } from 'vitest';
import { lacks } from '../rig/tools.ts';
import { startWatch } from '../rig/watching.ts';
import { test } from '../rig/world.ts';

describe.skipIf(lacks('root'))('caisson watch, of a Dockerfile that the lint warns of', () => {
  const FIRST = 'FROM scratch\nMAINTAINER me\nCOPY a /\n';
  const WARNING = 'warning[MaintainerDeprecated]';

  test('says that once, and again when it is new again', async ({ world }) => {
    world.write({ Dockerfile: FIRST, a: '1' });
    await using watch = startWatch(world, ['--progress', 'plain']);
    expect(await watch.rest()).toContain(WARNING);
    world.write({ a: '2' });
    const second = await watch.rest();
    expect(second).toContain('why: a: content');
    expect(second).not.toContain(WARNING);
    world.write({ Dockerfile: FIRST.replace('MAINTAINER me\n', '').replace('a /', 'a /b') });
    expect(await watch.rest()).not.toContain(WARNING);
    world.write({ Dockerfile: FIRST });
    expect(await watch.rest()).toContain(WARNING);
  });

  test('tells programs each time', async ({ world }) => {
    world.write({ Dockerfile: FIRST, a: '1' });
    await using watch = startWatch(world, ['--progress', 'rawjson']);
    const told = /"kind":"built"/;
    expect(await watch.line(/"rule":"MaintainerDeprecated"/)).not.toMatch(told);
    await watch.line(/"kind":"image"/);
    world.write({ a: '2' });
    expect(await watch.line(/"rule":"MaintainerDeprecated"/)).toBeDefined();
  });
});
