import { cpSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { lacks } from '../rig/tools.ts';
import { becomes, OUT } from '../rig/watched-image.ts';
import { startWatch } from '../rig/watching.ts';
import { test } from '../rig/world.ts';

describe.skipIf(lacks('root'))('a watch of a folder', () => {
  test('that is removed, and comes back', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY src /src\n', 'src/a': '1' });
    await using watch = startWatch(world, OUT, { context: world.context });
    await watch.rest();
    renameSync(world.context, `${world.context}.gone`);
    expect(await watch.line(/^error/)).toContain(
      `error[invalid-request]: there is no folder ${world.context}`,
    );
    await watch.rest();
    renameSync(`${world.context}.gone`, world.context);
    await watch.line(/^built in|with the same result/);
    await watch.rest();
    world.write({ 'src/a': '2' });
    await becomes(world, { 'src/a': '2' });
  });

  test('that is gone is told of in full once', async ({ world }) => {
    world.write({ '../Dockerfile': 'FROM scratch\nCOPY src /src\n', 'src/a': '1' });
    const args = [...OUT, '-f', '../Dockerfile'];
    await using watch = startWatch(world, args, { context: world.context });
    await watch.rest();
    renameSync(world.context, `${world.context}.gone`);
    expect((await watch.rest()).replaceAll(world.context, 'CONTEXT')).toContain(
      `error[invalid-request]: there is no folder CONTEXT
  expected: a folder, an archive, the URL of one, or a git repository
  see docs/errors.md#invalid-request
waiting for changes
`,
    );
    writeFileSync(join(world.folder, 'Dockerfile'), 'FROM scratch\nCOPY src /other\n');
    await watch.line(/^as before: there is no folder \S+$/);
    await watch.rest();
    renameSync(`${world.context}.gone`, world.context);
    await becomes(world, { 'other/a': '1' });
  });

  test('in whose place another one comes, at once or later', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY src /src\n', 'src/a': '1' });
    const [other, gone] = [`${world.context}.other`, `${world.context}.gone`];
    cpSync(world.context, other, { recursive: true });
    writeFileSync(join(other, 'src/a'), 'other');
    await using watch = startWatch(world, OUT, { context: world.context });
    await watch.rest();
    renameSync(world.context, gone);
    renameSync(other, world.context);
    await becomes(world, { 'src/a': 'other' });
    await watch.rest();
    world.write({ 'src/a': '2' });
    await becomes(world, { 'src/a': '2' });
    await watch.rest();
    renameSync(world.context, other);
    await watch.line(/^error/);
    await watch.rest();
    writeFileSync(join(other, 'src/a'), 'again');
    cpSync(other, world.context, { recursive: true });
    await becomes(world, { 'src/a': 'again' });
    await watch.rest();
    world.write({ 'src/a': '3' });
    await becomes(world, { 'src/a': '3' });
  });
});
