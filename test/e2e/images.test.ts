import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import * as z from 'zod/mini';
import { TerminalRun } from '../rig/tmux.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const APP = 'FROM busybox\nRUN echo hello > /hello\nLABEL a=b\nCMD ["cat", "/hello"]\n';

const rows = z.array(z.looseObject({ repository: z.string(), tag: z.string(), id: z.string() }));

async function names(world: World): Promise<string[]> {
  const { stdout } = await world.ok(['images', '--format', 'json']);
  return rows
    .parse(JSON.parse(stdout))
    .map(({ repository, tag }) => `${repository}:${tag}`)
    .toSorted();
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('images', () => {
  test.skipIf(lacks('tmux'))('are listed on a narrow terminal, a line each', async ({ world }) => {
    world.write({ Dockerfile: APP });
    const name = 'registry.example.com/team/application';
    const id = await world.build(['-t', name]);
    await using run = await TerminalRun.start(world, ['images'], { columns: 76, rows: 10 });
    const lines = await run.shows('exit code 0');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(new RegExp(`^registry[a-z./]+\\.{3} +latest +${id.slice(7, 19)} .* MB$`));
    await using whole = await TerminalRun.start(world, ['images', '--no-trunc'], { columns: 76, rows: 10 });
    expect((await whole.shows('exit code 0')).join('')).toContain(name);
  });

  test('are listed, named, shown and removed', async ({ world }) => {
    world.write({ Dockerfile: APP });
    const id = await world.build(['-t', 'app', '-t', 'team/app:2']);
    const short = id.slice('sha256:'.length, 'sha256:'.length + 12);
    await world.ok(['tag', short, 'registry.example.com/app:3']);
    expect(await names(world)).toEqual(['app:latest', 'registry.example.com/app:3', 'team/app:2']);
    const table = (await world.ok(['images'])).stdout;
    expect(table).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\n/);
    expect(table).toMatch(new RegExp(`^app +latest +${short} +\\d+ seconds? ago +[\\d.]+ MB$`, 'm'));
    expect((await world.ok(['images', '-q'])).stdout).toBe(`${short}\n`);

    const refused = await world.run(['rmi', short]);
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: `error[image-in-use]: the image ${id} has 3 names\n  hint: give the one to take away, or --force: app:latest, team/app:2, registry.example.com/app:3\n`,
    });
    expect((await world.ok(['rmi', 'team/app:2'])).stdout).toBe('Untagged: team/app:2\n');
    expect(await names(world)).toEqual(['app:latest', 'registry.example.com/app:3']);
    expect((await world.ok(['rmi', '-f', short])).stdout).toBe(
      `Untagged: app:latest\nUntagged: registry.example.com/app:3\nDeleted: ${id}\n`,
    );
    expect(await names(world)).toEqual([]);
    expect(await world.run(['rmi', 'app'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr:
        'error[no-such-image]: no image is named app:latest\n  hint: caisson images lists what is there\n',
    });
    await world.ok(['rmi', '-f', 'app']);
  });

  test('have a history and an inspection as with docker', async ({ world }) => {
    world.write({ Dockerfile: APP });
    const id = await world.build(['-t', 'app']);
    const history = (await world.ok(['history', 'app'])).stdout;
    expect(history).toMatch(/^CREATED +CREATED BY +SIZE +COMMENT\n/);
    expect(history).toMatch(/CMD \["cat" "\/hello"\] +0 B +buildkit.dockerfile.v0\n/);
    expect(history).toMatch(/LABEL a=b +0 B/);
    expect(history).toMatch(/RUN \/bin\/sh -c echo hello > \/hello # buildkit/);
    const schema = z.array(
      z.looseObject({ Id: z.string(), RepoTags: z.array(z.string()), Config: z.looseObject({}) }),
    );
    const [inspected] = schema.parse(JSON.parse((await world.ok(['inspect', id])).stdout));
    expect(inspected).toMatchObject({
      Id: id,
      RepoTags: ['app:latest'],
      Os: 'linux',
      Config: { Cmd: ['cat', '/hello'], Labels: { a: 'b' } },
    });
  });

  test('are pruned but for those with names', async ({ world }) => {
    world.write({ Dockerfile: APP });
    await world.build(['-t', 'app']);
    world.write({ Dockerfile: APP.replace('hello >', 'other >') });
    const other = await world.build(['-t', 'app']);
    expect((await world.ok(['prune', '--dry-run'])).stdout).toMatch(
      /^would remove 1 unnamed image, 2 step results, 1 base image, \d+ trees?, (?:\d+ maps?, )?(?:\d+ unpacked layers?, )?\d+ blobs: [\d.]+ [kM]?B; the cache would take 0 B\n$/,
    );
    expect((await world.ok(['prune', '--older-than', '1h'])).stdout).toMatch(
      /^removed nothing; the cache takes [\d.]+ MB\n$/,
    );
    expect((await world.ok(['prune'])).stdout).toMatch(
      /^removed 1 unnamed image, 2 step results, 1 base image, /,
    );
    expect((await world.ok(['run', 'app'])).stdout).toBe('other\n');
    await world.ok(['rmi', 'app']);
    await world.ok(['prune']);
    expect(readdirSync(join(world.store, 'blobs/sha256'))).toEqual([]);
    expect(readdirSync(join(world.store, 'trees'))).toEqual([]);
    // What was pruned is made again, the same but for its times.
    expect(await world.build(['-t', 'app'])).toMatch(/^sha256:/);
    expect(other).toMatch(/^sha256:/);
  });

  test('take what du says', async ({ world }) => {
    world.write({ Dockerfile: APP });
    await world.build(['-t', 'app']);
    const schema = z.array(
      z.object({ kind: z.string(), count: z.int(), bytes: z.int(), reclaimable: z.int() }),
    );
    const usage = schema.parse(JSON.parse((await world.ok(['du', '--format', 'json'])).stdout));
    const images = usage.find(({ kind }) => kind === 'image');
    expect(images?.count).toBe(1);
    expect(images?.bytes).toBeGreaterThan(500_000);
    expect(images?.reclaimable).toBe(0);
    expect((await world.ok(['du'])).stdout).toMatch(/^KIND +COUNT +SIZE +RECLAIMABLE\nimage +1 /);
    // Another image takes the name: nobody uses the old one, though the new one has its layers.
    await world.build(['-t', 'app', '--label', 'other=label']);
    const entries = z
      .array(z.object({ kind: z.string(), names: z.array(z.string()) }))
      .parse(JSON.parse((await world.ok(['du', '-v', '--format', 'json'])).stdout));
    const usersOf = (wanted: string): string[][] =>
      entries.filter(({ kind }) => kind === wanted).map((entry) => entry.names);
    expect(usersOf('unnamed image')).toEqual([[]]);
    expect(usersOf('image')).toEqual([['docker.io/library/app:latest']]);
    expect(usersOf('step')).toEqual([['docker.io/library/app:latest']]);
  });

  test.skipIf(lacks('skopeo', 'umoci'))('are read by skopeo and umoci where they lie', async ({ world }) => {
    world.write({ Dockerfile: APP });
    const id = await world.build(['-t', 'app']);
    const { stdout } = await execa('skopeo', [
      'inspect',
      '--raw',
      `oci:${world.store}:docker.io/library/app:latest`,
    ]);
    expect(stdout).toContain(id);
    const bundle = join(world.folder, 'bundle');
    const image = `${world.store}:docker.io/library/app:latest`;
    const { exitCode } = await execa('umoci', ['raw', 'unpack', '--image', image, bundle]);
    expect(exitCode).toBe(0);
    expect(readdirSync(bundle)).toContain('hello');
  });
});

describe.skipIf(lacks('root'))('what is known of this machine', () => {
  test('version', async ({ world }) => {
    const { stdout } = await world.ok(['--version']);
    expect(stdout).toMatch(/^caisson \d+\.\d+\.\d+\n$/);
    const facts = z.object({ version: z.string(), node: z.string(), platform: z.string() });
    const { version } = facts.parse(JSON.parse((await world.ok(['version', '--format', 'json'])).stdout));
    expect(stdout).toBe(`caisson ${version}\n`);
  });

  test('doctor', async ({ world }) => {
    const { stdout } = await world.ok(['doctor']);
    expect(stdout).toMatch(/^ok {7}kernel: \d/m);
    expect(stdout).toMatch(/^ok {7}namespaces: works \(.*unshare\)$/m);
    expect(stdout).toMatch(
      /^(?:ok {7}layer maps: work|note {5}layer maps: layers are unpacked to be mounted): /m,
    );
    expect(stdout).toMatch(/^ok {7}isolation: (?:oci|namespaces) \(RUN steps run in \w+\)$/m);
    expect(stdout).toMatch(/^ok {7}platforms: RUN steps can be for linux\/\w+/m);
    const without = await world.run(['doctor'], { env: { PATH: '/usr/bin/nowhere' } });
    expect(without.exitCode).toBe(0);
    expect(without.stdout).toContain('ok       isolation: chroot (RUN steps run in chroot)\n');
  });

  test('help has examples for every command', async ({ world }) => {
    const { stdout } = await world.ok(['--help']);
    const commands = [...stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}([\w-]+) /gm)].map(
      ([, name = '']) => name,
    );
    expect(commands).toContain('build');
    for (const words of [
      ['help', '--help'],
      ['help', 'help'],
      ['help', '-h'],
    ])
      expect(await world.run(words)).toEqual({ stdout, stderr: '', exitCode: 0 });
    for (const name of commands.filter((each) => each !== 'help')) {
      const help = (await world.ok([name, '--help'], { env: { COLUMNS: '300' } })).stdout;
      const [, examples = ''] = /\nExamples:\n((?: {2}.*\n)+)/.exec(help) ?? [];
      expect(examples).toContain('caisson ');
      // What they are for stands behind them as a comment: a shell reads all of it.
      const { stderr: wrong } = await execa('bash', ['-n'], { input: examples, reject: false });
      expect({ name, wrong }).toEqual({ name, wrong: '' });
    }
  });
});
