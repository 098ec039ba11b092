import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { bareEnvironment, CAISSON } from '../rig/caisson.ts';
import { failureOf } from '../rig/failure-of.ts';
import { eventually } from '../rig/leftovers.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const APP = `FROM busybox
RUN echo one && echo '::two' >&2
RUN true
RUN for i in $(seq 1 20000); do echo "line $i of many, so that the log is long"; done; printf '\\033[1mbold\\007'; exit 3
`;

/** The builds of a store, the newest first: id, state, steps, what. */
async function builds(world: World): Promise<string[]> {
  const { stdout } = await world.ok(['builds']);
  return stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) =>
      line
        .split(/ {3,}/)
        .filter((_cell, column) => column !== 1 && column !== 2)
        .join(' | ')
        .replace(/^[0-9a-f]{16}/, 'ID'),
    );
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('what steps write', () => {
  test('is kept, all of it, and shown by build and step', async ({ world }) => {
    world.write({ Dockerfile: APP });
    const { stderr } = await world.run(['build', '-t', 'app', '.']);
    const path = / all of it: (.*)$/m.exec(stderr)?.[1] ?? '';
    const lines = Array.from(
      { length: 20_000 },
      (_, index) => `line ${index + 1} of many, so that the log is long\n`,
    );
    expect(readFileSync(path, 'utf8')).toBe(`${lines.join('')}\u001b[1mbold\u0007`);
    expect(await builds(world)).toEqual(['ID | failed | 0 cached, 2 ran, 1 failed | app:latest']);

    const [id = ''] = (await world.ok(['builds', '-q'])).stdout.split('\n');
    const all = (await world.ok(['logs'])).stdout;
    expect(all).toBe(
      [
        "#1 [2/4] RUN echo one && echo '::two' >&2\none\n::two\n",
        `#3 [4/4] ${APP.split('\n')[3]} (failed)\n`,
        ...lines,
        'bold\n',
      ].join(''),
    );
    expect((await world.ok(['logs', id.slice(0, 6)])).stdout).toBe(all);
    expect((await world.ok(['logs', '1'])).stdout).toBe('one\n::two\n');
    expect((await world.ok(['logs', id, '2/4'])).stdout).toBe('one\n::two\n');
    expect((await world.ok(['logs', '--path', '3'])).stdout).toBe(`${path}\n`);
    expect((await world.ok(['logs', '2'])).stderr).toBe(
      `step #2 of build ${id} wrote nothing, or its log is gone\n`,
    );
    expect((await world.ok(['explain', '--build', id.slice(0, 5)])).stdout).toContain(`build ${id}`);

    const json: unknown = JSON.parse((await world.ok(['builds', '--json'])).stdout);
    expect(json).toMatchObject([
      { id, state: 'failed', context: world.context, dockerfile: 'Dockerfile', cached: 0, ran: 2, failed: 1 },
    ]);
  });

  test('says what it does not have', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN true\n' });
    expect(await failureOf(world, ['logs'])).toBe(
      'error[no-such-build]: this store knows no build\n  hint: the last 50 builds are kept\nexit code 1\n',
    );
    await world.build();
    await world.build();
    expect(await failureOf(world, ['logs', 'ffffffffffffffff', '1'])).toBe(
      'error[no-such-build]: this store knows no build "ffffffffffffffff"\n  hint: the last 50 builds are kept: caisson builds\nexit code 1\n',
    );
    expect(await failureOf(world, ['explain', '--build', 'x'])).toBe(
      'error[no-such-build]: this store knows no build "x"\n  hint: the last 50 builds are kept: caisson builds\nexit code 1\n',
    );
    expect(await failureOf(world, ['logs', '7'])).toBe(
      'error[usage]: the build has no step "7"\n  expected: 1 to 1, or a name like "2/2"\n  see caisson logs --help\nexit code 2\n',
    );
    const [id = ''] = (await world.ok(['builds', '-q'])).stdout.split('\n');
    expect((await world.ok(['logs'])).stderr).toBe(`all steps of build ${id} were cached\n`);
  });

  test('is there while a build runs, and after it was killed', { timeout: 60_000 }, async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN echo begun && sleep 600\n' });
    const build = execa(process.execPath, [CAISSON, 'build', '.'], {
      env: bareEnvironment(world.store),
      extendEnv: false,
      cwd: world.context,
      reject: false,
      stdin: 'ignore',
    });
    const logs = join(world.store, 'logs');
    const written = (): string[] => (existsSync(logs) ? readdirSync(logs) : []);
    expect(await eventually(() => written().length > 0)).toBe(true);
    expect(await builds(world)).toEqual(['ID | running | 0 cached, 0 ran | Dockerfile stage-0']);
    expect((await world.ok(['logs', '1'])).stdout).toBe('begun\n');
    await world.ok(['prune']);
    expect(written()).toHaveLength(1);
    build.kill('SIGKILL');
    await build;
    expect(await builds(world)).toEqual(['ID | killed | 0 cached, 0 ran | Dockerfile stage-0']);
    expect((await world.ok(['logs', '1'])).stdout).toBe('begun\n');
    expect((await world.ok(['du'])).stdout).toMatch(/^logs +1 +[\d.]+ kB +[\d.]+ kB$/m);
    expect((await world.ok(['prune', '--filter', 'type=logs'])).stdout).toMatch(/^removed 1 build log: /);
    expect(written()).toEqual([]);
    expect((await world.ok(['logs', '1'])).stderr).toMatch(
      /^step #1 of build \w+ wrote nothing, or its log is gone\n$/,
    );
  });
});
