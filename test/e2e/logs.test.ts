import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** Starts Caisson. */
function begin(world: World, args: readonly string[]) {
  return execa(process.execPath, [CAISSON, ...args], {
    env: bareEnvironment(world.store),
    extendEnv: false,
    cwd: world.context,
    reject: false,
    stdin: 'ignore',
    buffer: false,
  });
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
      'error[usage]: the build has no step "7"\n  expected: 1, or a name like "2/2"\n  see caisson logs --help\nexit code 2\n',
    );
    const [id = ''] = (await world.ok(['builds', '-q'])).stdout.split('\n');
    expect((await world.ok(['logs'])).stderr).toBe(`all steps of build ${id} were cached\n`);
  });

  test('is followed until the build ends, however it ends', { timeout: 120_000 }, async ({ world }) => {
    world.write({
      Dockerfile: `FROM busybox AS other
RUN echo other && sleep 600
FROM busybox
RUN echo one && printf t && sleep 2 && printf wo && sleep 600
COPY --from=other /etc/passwd /
`,
    });
    const build = begin(world, ['build', '.']);
    const logs = join(world.store, 'logs');
    const there = (): string[] =>
      existsSync(logs) ? readdirSync(logs, { recursive: true }).map(String) : [];
    expect(await eventually(() => there().filter((name) => name.endsWith('.log')).length === 2)).toBe(true);
    const [all, one] = [begin(world, ['logs', '-f']), begin(world, ['logs', '--follow', '2'])];
    const wrote = [all, one].map((command) => {
      let text = '';
      command.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      return (): string => text;
    });
    expect(await eventually(() => wrote.every((text) => text().includes('one\n')))).toBe(true);
    expect((await world.ok(['logs', '2'])).stdout).toMatch(/^one\nt(?:wo)?\n$/);
    const log = join(logs, there().find((name) => name.endsWith('2.log')) ?? '');
    expect(await eventually(() => readFileSync(log, 'utf8') === 'one\ntwo')).toBe(true);
    build.kill('SIGKILL');
    expect([(await all).exitCode, (await one).exitCode]).toEqual([0, 0]);
    expect(wrote[1]?.()).toBe('one\ntwo\n');
    expect(wrote[0]?.().trimEnd().split('\n').toSorted()).toEqual([
      '#1 [other 2/2] RUN echo other && sleep 600',
      '#1 other',
      '#2 [stage-1 2/3] RUN echo one && printf t && sleep 2 && printf wo && sleep 600',
      '#2 one',
      '#2 two',
    ]);
    // Of one that has ended it is what there is.
    expect((await world.ok(['logs', '-f', '2'])).stdout).toBe('one\ntwo\n');
  });

  test('in GitHub Actions gives no commands', async ({ world }) => {
    world.write({ Dockerfile: "FROM busybox\nrun echo '::add-mask::x' && echo 'a ##[error]b' && exit 1\n" });
    const env = { GITHUB_ACTIONS: 'true' };
    const { stderr } = await world.run(['build', '--progress', 'plain', '.'], { env });
    expect(stderr).toContain('a ## [error]b');
    expect(stderr.split('\n').filter((line) => /^\s*::|##\[/.test(line))).toEqual([]);
    expect((await world.ok(['logs', '1'], { env })).stdout).toBe(': :add-mask::x\na ## [error]b\n');
    expect((await world.ok(['logs', '1'])).stdout).toBe('::add-mask::x\na ##[error]b\n');
    // Nor does what shows the Dockerfile.
    for (const args of [['explain'], ['plan', '.'], ['check', '.']]) {
      const told = await world.run(args, { env });
      expect(`${told.stdout}${told.stderr}`).toContain('a ## [error]b');
      expect(`${told.stdout}${told.stderr}`).not.toContain('##[');
    }
  });

  test('is told of, where reports and logs are damaged', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN echo first\n' });
    await world.build();
    world.write({ Dockerfile: 'FROM busybox\nRUN echo second\n' });
    await world.build();
    const ids = (await world.ok(['builds', '-q'])).stdout.trimEnd().split('\n');
    const [second = '', first = ''] = ids;
    const report = (id: string): string => join(world.store, 'reports', `${id}.json`);
    const log = (id: string): string => join(world.store, 'logs', id, '1.log');

    // Another build that has the same beginning.
    const twin = `${first.slice(0, 8)}00000000`;
    writeFileSync(report(twin), readFileSync(report(first)));
    expect(
      (await failureOf(world, ['logs', first.slice(0, 8)]))
        .replaceAll(first, 'FIRST')
        .replaceAll(twin, 'TWIN'),
    ).toBe(
      `error[ambiguous-build]: 2 builds have an id that begins with ${first.slice(0, 8)}\n  hint: they are TWIN, FIRST: caisson builds\nexit code 1\n`,
    );
    expect((await world.ok(['logs', first])).stdout).toContain('first\n');
    expect((await world.ok(['logs', twin])).stderr).toBe(
      `no step of build ${twin} wrote anything, or the logs are gone\n`,
    );
    rmSync(report(twin));

    // The last build is the last one of which something is known.
    for (const text of ['', '{"id": "../../..', '{"id": 7}', 'null', '\u0000']) {
      writeFileSync(report(second), text);
      expect((await world.ok(['builds', '-q'])).stdout).toBe(`${first}\n`);
      expect((await world.ok(['logs', '1'])).stdout).toBe('first\n');
      expect((await failureOf(world, ['explain', '--build', second])).replaceAll(second, 'SECOND')).toBe(
        'error[no-such-build]: the report of build SECOND cannot be read\n  hint: others are: caisson builds\nexit code 1\n',
      );
    }
    rmSync(report(second));
    mkdirSync(report(second));
    expect((await world.ok(['builds', '-q'])).stdout).toBe(`${first}\n`);
    await world.build();

    rmSync(log(first));
    expect((await world.ok(['logs', first, '1'])).stderr).toBe(
      `step #1 of build ${first} wrote nothing, or its log is gone\n`,
    );
    mkdirSync(log(first));
    expect((await failureOf(world, ['logs', first, '1'])).replaceAll(world.store, 'STORE')).toBe(
      `error[damaged]: the log STORE/logs/${first}/1.log cannot be read: EISDIR: illegal operation on a directory, read\nexit code 1\n`,
    );
  });

  test('is read as it is taken, however long it is', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN echo one\n' });
    await world.build();
    const path = (await world.ok(['logs', '--path', '1'])).stdout.trimEnd();
    writeFileSync(path, `${'x'.repeat(127)}\n`.repeat(2 ** 20));
    // Nobody takes what it prints. (execa would: it reads what it does not keep.)
    const logs = spawn(process.execPath, [CAISSON, 'logs', '1'], {
      env: bareEnvironment(world.store),
      cwd: world.context,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const position = (): number => {
      const folder = `/proc/${logs.pid}/fd`;
      try {
        const fd = readdirSync(folder).find((name) => readlinkSync(join(folder, name)) === path);
        const info = fd === undefined ? '' : readFileSync(`/proc/${logs.pid}/fdinfo/${fd}`, 'utf8');
        return Number(/^pos:\t(\d+)/.exec(info)?.[1] ?? 0);
      } catch {
        return 0; // a file that it had open is closed by now
      }
    };
    expect(await eventually(() => position() > 0)).toBe(true);
    await sleep(500);
    expect(position()).toBeLessThan(2 ** 20);
    logs.stdout.resume();
    expect(await eventually(() => position() > 2 ** 26)).toBe(true);
    const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${logs.pid}/status`, 'utf8'))?.[1]);
    expect(peak / 1000).toBeLessThan(150);
    logs.kill('SIGKILL');
    await once(logs, 'exit');
  });

  test('is there while a build runs, and after it was killed', { timeout: 60_000 }, async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN echo begun && sleep 600\n' });
    const build = begin(world, ['build', '.']);
    const logs = join(world.store, 'logs');
    const written = (): string[] => (existsSync(logs) ? readdirSync(logs) : []);
    expect(await eventually(() => written().length > 0)).toBe(true);
    expect(await builds(world)).toEqual(['ID | running | 0 cached, 0 ran | context/Dockerfile stage-0']);
    expect((await world.ok(['logs', '1'])).stdout).toBe('begun\n');
    await world.ok(['prune']);
    expect(written()).toHaveLength(1);
    build.kill('SIGKILL');
    await build;
    expect(await builds(world)).toEqual(['ID | killed | 0 cached, 0 ran | context/Dockerfile stage-0']);
    expect((await world.ok(['logs', '1'])).stdout).toBe('begun\n');
    expect((await world.ok(['du'])).stdout).toMatch(/^logs +1 +[\d.]+ kB +[\d.]+ kB$/m);
    expect((await world.ok(['prune', '--filter', 'type=logs'])).stdout).toMatch(/^removed 1 build log: /);
    expect(written()).toEqual([]);
    expect((await world.ok(['logs', '1'])).stderr).toMatch(
      /^step #1 of build \w+ wrote nothing, or its log is gone\n$/,
    );
  });
});
