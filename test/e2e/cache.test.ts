import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { filesOfTar } from '../rig/image-files.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const APP = {
  Dockerfile: `FROM busybox
RUN echo tools > /tools
COPY src /src
RUN cat /src/* > /all
LABEL version=1
CMD ["cat", "/all"]
`,
  'src/a.txt': 'a\n',
  'src/b.txt': 'b\n',
};

/** How many steps the cache had, and how many ran. */
async function stepsOf(world: World, args: readonly string[] = [], env = {}): Promise<string> {
  const { stderr } = await world.ok(['build', '-t', 'app', ...args, '.'], { env });
  return /(\d+) steps? cached, (\d+) ran\n$/.exec(stderr)?.slice(1).join('/') ?? stderr;
}

/** Three stages that begin alike, with a command whose result is the file /id. */
function threeStages(command: string): string {
  const stages = ['a', 'b', 'c'].map((stage) => `FROM busybox AS ${stage}\nCOPY in /\nRUN ${command}\n`);
  return `${stages.join('')}FROM scratch\nCOPY --from=a /id /a\nCOPY --from=b /id /b\nCOPY --from=c /id /c\n`;
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('the cache', () => {
  test('runs nothing when nothing changed, and gives the same image id', async ({ world }) => {
    world.write(APP);
    const first = await world.build();
    await sleep(1100); // the clock goes on: no time of a build may show
    expect(await world.build()).toBe(first);
    expect(await stepsOf(world)).toBe('3/0');
  });

  test('runs from the COPY of an edited file on', async ({ world }) => {
    world.write(APP);
    const first = await world.build();
    world.write({ 'src/a.txt': 'edited\n' });
    expect(await stepsOf(world)).toBe('1/2');
    expect((await world.ok(['run', 'app'])).stdout).toBe('edited\nb\n');
    world.write({ 'src/a.txt': 'a\n' });
    expect(await world.build()).toBe(first);
  });

  test('runs nothing for a touched file, a new file outside, or a changed comment', async ({ world }) => {
    world.write(APP);
    const first = await world.build();
    utimesSync(join(world.context, 'src/a.txt'), 1, 1);
    world.write({
      'README.md': 'new',
      Dockerfile: `# a comment\n${APP.Dockerfile.replace('RUN cat', '\nRUN   cat')}`,
    });
    expect(await stepsOf(world)).toBe('3/0');
    expect(await world.build()).toBe(first);
  });

  test('runs nothing for an edited LABEL or CMD, and its undo brings the id back', async ({ world }) => {
    world.write(APP);
    const first = await world.build();
    world.write({
      Dockerfile: APP.Dockerfile.replace('version=1', 'version=2').replace('/all"', '/src/b.txt"'),
    });
    expect(await stepsOf(world)).toBe('3/0');
    expect((await world.ok(['run', 'app'])).stdout).toBe('b\n');
    expect(await world.build()).not.toBe(first);
    world.write({ Dockerfile: APP.Dockerfile });
    expect(await world.build()).toBe(first);
  });

  test('cuts off behind a changed command that gives the same content', async ({ world }) => {
    const dockerfile = 'FROM busybox\nRUN echo 1 > /one\nRUN wc -c < /one > /count\n';
    world.write({ Dockerfile: dockerfile });
    const first = await world.build();
    world.write({ Dockerfile: dockerfile.replace('echo 1', 'printf "1\\n"') });
    const { stderr } = await world.ok(['build', '-t', 'app', '.']);
    expect(stderr).toContain(', with the same result as before\n');
    expect(stderr).toMatch(/1 step cached, 1 ran\n$/);
    world.write({ Dockerfile: dockerfile });
    expect(await world.build()).toBe(first);
  });

  test('says of no step that it gave what another one gave', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN true\nFROM busybox\nRUN :\nCOPY --from=0 /bin/sh /sh\n' });
    const { stderr } = await world.ok(['build', '--jobs', '1', '.']);
    expect(stderr).not.toContain('same result');
    expect(stderr).toMatch(/0 steps cached, 3 ran\n$/);
  });

  test('runs a step that two stages have once', async ({ world }) => {
    const command = 'cat /proc/sys/kernel/random/uuid > /id';
    world.write({ Dockerfile: threeStages(command), in: '1' });
    for (const input of ['1', '2']) {
      world.write({ in: input });
      const { stderr } = await world.ok(['build', '-o', 'out', '.']);
      expect(stderr).toMatch(/4 steps cached, 5 ran\n$/);
      expect(stderr).not.toContain('same result');
      const [a, b, c] = ['a', 'b', 'c'].map((name) => readFileSync(join(world.context, 'out', name), 'utf8'));
      expect([b, c]).toStrictEqual([a, a]);
    }
    world.write({ Dockerfile: threeStages(`${command}; exit 3`) });
    expect((await world.run(['build', '.'])).stderr).toContain('ended with exit code 3');
  });

  test('cuts off behind a stage that was rebuilt to the same files', async ({ world }) => {
    world.write({
      Dockerfile:
        'FROM busybox AS sort\nCOPY in /in\nRUN sort -u /in > /out\nFROM busybox\nCOPY --from=sort /out /\nRUN wc -l < /out > /count\n',
      in: 'b\na\n',
    });
    const first = await world.build();
    world.write({ in: 'a\nb\nb\n' });
    expect(await stepsOf(world)).toBe('2/2');
    expect(await world.build()).toBe(first);
  });

  test('takes a renamed stage, another order of stages and a new unused stage for what they are', async ({
    world,
  }) => {
    world.write({
      Dockerfile: 'FROM busybox AS one\nRUN echo 1 > /one\nFROM busybox\nCOPY --from=one /one /\n',
    });
    await world.build();
    world.write({
      Dockerfile:
        'FROM busybox AS unused\nRUN exit 1\nFROM busybox AS other\nRUN echo 1 > /one\nFROM busybox\nCOPY --from=other /one /\n',
    });
    expect(await stepsOf(world)).toBe('2/0');
  });

  test('keys RUN on declared args and environment only', async ({ world }) => {
    world.write({
      Dockerfile:
        'FROM busybox\nARG BEFORE=1\nRUN echo $BEFORE > /one\nARG AFTER=1\nRUN echo $AFTER > /two\n',
    });
    await world.build();
    expect(await stepsOf(world, ['--build-arg', 'AFTER=2'])).toBe('1/1');
    expect(await stepsOf(world, ['--build-arg', 'AFTER=2'])).toBe('2/0');
    expect(await stepsOf(world)).toBe('2/0');
    expect(await stepsOf(world, ['--build-arg', 'HTTP_PROXY=http://proxy:1'])).toBe('2/0');
  });

  test('keeps a linked COPY whatever is below it', async ({ world }) => {
    const text = 'FROM busybox\nRUN echo 1 > /below\nCOPY --link src /src\n';
    world.write({ ...APP, Dockerfile: text });
    await world.build();
    world.write({ Dockerfile: text.replace('echo 1', 'echo 2') });
    expect(await stepsOf(world)).toBe('1/1');
    world.write({ Dockerfile: text.replace('--link ', '').replace('echo 1', 'echo 3') });
    expect(await stepsOf(world)).toBe('0/2');
  });

  test('--no-cache runs all again', async ({ world }) => {
    world.write(APP);
    const first = await world.build();
    expect(await stepsOf(world, ['--no-cache'])).toBe('0/3');
    expect(await world.build()).not.toBe(first);
  });

  test('with SOURCE_DATE_EPOCH two cold builds give one id, and no time is later', async ({ world }) => {
    const env = { SOURCE_DATE_EPOCH: '1600000000' };
    world.write(APP);
    const first = await world.build(['--no-cache'], { env });
    await sleep(1100);
    expect(await world.build(['--no-cache'], { env, root: `${world.store}-2` })).toBe(first);
    const history = JSON.parse((await world.ok(['history', '--format', 'json', first])).stdout) as unknown;
    expect(JSON.stringify(history)).not.toMatch(/"20(?:2[1-9]|[3-9])/);
    await world.ok(['build', '-t', 'app', '-o', 'type=tar,dest=app.tar', '.'], { env });
    const files = await filesOfTar(readFileSync(join(world.context, 'app.tar')));
    for (const path of ['tools', 'src/a.txt', 'src', 'all'])
      expect(files.get(path)?.mtime).toBeLessThanOrEqual(1_600_000_000_000);
  });

  test('what was built with another SOURCE_DATE_EPOCH, or none, comes into no image with one', async ({
    world,
  }) => {
    world.write(APP);
    for (const SOURCE_DATE_EPOCH of ['', '1500000000', '1600000000']) {
      const env = { SOURCE_DATE_EPOCH };
      const warm = await world.build([], { env });
      if (SOURCE_DATE_EPOCH === '') continue;
      expect(await world.build([], { env, root: `${world.store}-${SOURCE_DATE_EPOCH}` })).toBe(warm);
    }
  });

  test('healed: a damaged layer of the store is made again, never served', async ({ world }) => {
    world.write(APP);
    await world.build();
    const blobs = join(world.store, 'blobs/sha256');
    for (const name of readdirSync(blobs)) {
      const path = join(blobs, name);
      // Layers of our own: tars of a few blocks.
      if (statSync(path).size % 512 === 0) writeFileSync(path, Buffer.alloc(statSync(path).size, 1));
    }
    const { stderr } = await world.ok(['build', '-t', 'app', '.']);
    expect(stderr).toMatch(/ steps? cached, [1-3] ran\n$/);
    expect((await world.ok(['run', 'app'])).stdout).toBe('a\nb\n');
  });
});
