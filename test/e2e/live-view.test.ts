import { describe, expect, inject } from 'vitest';
import { startSlowRegistry } from '../rig/slow-registry.ts';
import { masked, TerminalRun } from '../rig/tmux.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const WIDE = { columns: 80, rows: 24 };

/** Two steps side by side that write some lines and wait; the first draws a progress bar. */
const APP = {
  Dockerfile: `FROM busybox AS one
COPY file /
RUN echo 'line\tone' && printf '10%%\\r20%%\\r30%%' && sleep 600
FROM busybox AS other-stage
RUN for i in 1 2 3 4 5 6; do echo "a line that says 你好 $i and is longer than a narrow terminal"; done && sleep 600
FROM busybox
COPY --from=one /file /
COPY --from=other-stage /etc/passwd /other
`,
  file: 'file\n',
};

const QUICK = {
  Dockerfile: `FROM busybox AS build
COPY file /
RUN printf '\\033[31mred\\033]0;title\\007\\n' && cat /file > /out
FROM busybox
COPY --from=build /out /
RUN test -s /out
`,
  file: 'file\n',
};

function build(world: World, size = WIDE, ...args: readonly string[]): Promise<TerminalRun> {
  return TerminalRun.start(world, ['build', ...args, '.'], size);
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'tmux'))('a build on a terminal', () => {
  test(
    'shows what runs, with its last lines; and says how it ended',
    { timeout: 120_000 },
    async ({ world }) => {
      world.write(APP);
      await world.ok(['pull', 'busybox']);
      await using run = await build(world);
      const screen = await run.shows(/│ 30%[^]*6 and is longer/);
      expect(masked(screen)).toMatchInlineSnapshot(`
        [
          "✓ #1 one          COPY file /  T",
          "● #2 one          RUN echo 'line one' && printf '10%%\\r20%%\\r30%%' && s…  T",
          "  │ line    one",
          "  │ 30%",
          "● #3 other-stage  RUN for i in 1 2 3 4 5 6; do echo "a line that says …  T",
          "  │ a line that says 你好 3 and is longer than a narrow terminal",
          "  │ a line that says 你好 4 and is longer than a narrow terminal",
          "  │ a line that says 你好 5 and is longer than a narrow terminal",
          "  │ a line that says 你好 6 and is longer than a narrow terminal",
          "  T, 1 of 5 steps",
        ]
      `);
      expect(Math.max(...screen.map((line) => line.length))).toBeLessThan(80);
      await run.press('C-c');
      await run.shows('exit code 130');
      // Steps that are ended together end in any order.
      const ended = masked(await run.screen());
      const [first, ...cancelled] = ended.filter((line) => /^[✓⊘] #/.test(line));
      const rest = ended.filter((line) => !/^[✓⊘] #/.test(line));
      expect([first, ...cancelled.toSorted(), ...rest]).toMatchInlineSnapshot(`
        [
          "✓ #1 one          COPY file /  T",
          "⊘ #2 one          RUN echo 'line one' && printf '10%%\\r20%%\\…  cancelled,  T",
          "⊘ #3 other-stage  RUN for i in 1 2 3 4 5 6; do echo "a line …  cancelled,  T",
          "error[cancelled]: the build was cancelled",
          "  cancelled after T: 0 steps cached, 1 ran, 2 cancelled",
          "exit code 130",
        ]
      `);
    },
  );

  test('fits a small terminal, and one that changes its size', { timeout: 120_000 }, async ({ world }) => {
    world.write(APP);
    await world.ok(['pull', 'busybox']);
    await using run = await build(world, { columns: 40, rows: 12 });
    expect(masked(await run.shows(/│ 30%[^]*6 and/))).toMatchInlineSnapshot(`
      [
        "✓ #1 COPY file /  T",
        "● #2 RUN echo 'line one' && pri…  T",
        "  │ line    one",
        "  │ 30%",
        "● #3 RUN for i in 1 2 3 4 5 6; …  T",
        "  │ a line that says 你好 3 and is lon…",
        "  │ a line that says 你好 4 and is lon…",
        "  │ a line that says 你好 5 and is lon…",
        "  │ a line that says 你好 6 and is lon…",
        "  T, 1 of 5 steps",
      ]
    `);
    await run.resize({ columns: 20, rows: 12 });
    expect(masked(await run.shows(/│ a line that sa…/))).toMatchInlineSnapshot(`
      [
        "● RUN echo …  T",
        "  │ line    one",
        "  │ 30%",
        "● RUN for i…  T",
        "  │ a line that sa…",
        "  │ a line that sa…",
        "  │ a line that sa…",
        "  │ a line that sa…",
        "  T, 1 of 5 st…",
      ]
    `);
    await run.resize({ columns: 60, rows: 8 });
    expect(masked(await run.shows(/of 5 steps$/m))).toMatchInlineSnapshot(`
      [
        "● #2 RUN echo 'line one' && printf '10%%\\r20%%\\r30%…  T",
        "  │ line    one",
        "  │ 30%",
        "● #3 RUN for i in 1 2 3 4 5 6; do echo "a line that…  T",
        "  │ a line that says 你好 5 and is longer than a narrow te…",
        "  │ a line that says 你好 6 and is longer than a narrow te…",
        "  T, 1 of 5 steps",
      ]
    `);
    await run.press('C-c');
    await run.shows('exit code 130');
  });

  test(
    'on a terminal that becomes lower and higher, nothing of old frames stays',
    { timeout: 120_000 },
    async ({ world }) => {
      world.write(APP);
      await world.ok(['pull', 'busybox']);
      await using run = await build(world);
      await run.shows(/│ 30%[^]*6 and is longer/);
      const before = masked(await run.history());
      await run.resize({ columns: 80, rows: 6 });
      await run.shows(/^(?:.*\n){4}.*$/);
      await run.shows(/^● #2(?:.*\n){1,4} {2}.* of 5 steps$/);
      await run.resize(WIDE);
      await run.shows(/│ 30%[^]*3 and is longer[^]*6 and is longer[^]*of 5 steps$/);
      expect(masked(await run.history())).toEqual(before);
      await run.press('C-c');
      await run.shows('exit code 130');
    },
  );

  test('ends in a few lines; cached steps are a number', { timeout: 120_000 }, async ({ world }) => {
    world.write(QUICK);
    await world.ok(['pull', 'busybox']);
    await using first = await build(world, WIDE, '-t', 'app');
    await first.shows('exit code 0');
    expect(masked(await first.history())).toMatchInlineSnapshot(`
      [
        "✓ #1 build    COPY file /  T",
        "✓ #2 build    RUN printf '\\033[31mred\\033]0;title\\007\\n' && cat /file >…  T",
        "✓ #3 stage-1  COPY --from=build /out /  T",
        "✓ #4 stage-1  RUN test -s /out  T",
        "✓ app:latest  1.12 MB",
        "  sha256:ID",
        "  built in T: 0 steps cached, 4 ran",
        "    #1-#4: no earlier record",
        "exit code 0",
      ]
    `);
    await first[Symbol.asyncDispose]();

    await using second = await build(world, WIDE, '-t', 'app');
    await second.shows('exit code 0');
    expect(masked(await second.history())).toMatchInlineSnapshot(`
      [
        "✓ app:latest  1.12 MB, the same image as before",
        "  sha256:ID",
        "  built in T: 4 steps cached, 0 ran",
        "exit code 0",
      ]
    `);
    await second[Symbol.asyncDispose]();

    world.write({ file: 'another\n' });
    await using third = await build(world, WIDE, '-t', 'app');
    await third.shows('exit code 0');
    expect(masked(await third.colored())).toMatchInlineSnapshot(`
      [
        "[32m✓[39m [2m#1 build    [0m[39m[49mCOPY file /                                                 [2mT",
        "[0m[32m[49m✓[39m [2m#2 build    [0m[39m[49mRUN printf '\\033[31mred\\033]0;title\\007\\n' && cat /file >…  [2mT",
        "[0m[32m[49m✓[39m [2m#3 stage-1  [0m[39m[49mCOPY --from=build /out /                                    [2mT",
        "[0m[32m[49m✓[39m [2m#4 stage-1  [0m[39m[49mRUN test -s /out                                            [2mT",
        "[0m[32m[49m✓[39m [1mapp:latest[0m[39m[49m  1.12 MB, as large as before",
        "  sha256:ID",
        "[2m  built in T: 0 steps cached, 4 ran",
        "    #1: file: content",
        "    #2: #1 COPY file / gave other files",
        "    #3: out: content",
        "    #4: #3 COPY --from=build /out / gave other files",
        "[0m[39m[49mexit code 0",
      ]
    `);
  });

  test('a failure is told below what ran', { timeout: 120_000 }, async ({ world }) => {
    await world.ok(['pull', 'busybox']);
    world.write({ Dockerfile: 'FROM busybox\nRUN echo first\nRUN echo said && exit 3\n' });
    await using run = await build(world);
    await run.shows('exit code 1');
    expect(masked(await run.history()).map((line) => line.replace(/of it: .*\/store\//, 'of it: STORE/')))
      .toMatchInlineSnapshot(`
        [
          "✓ #1 RUN echo first  T",
          "✗ #2 RUN echo said && exit 3  T",
          "error[step-failed]: RUN echo said && exit 3 ended with exit code 3",
          "  at Dockerfile:3:1",
          "  2 | RUN echo first",
          "> 3 | RUN echo said && exit 3",
          "    | ^^^^^^^^^^^^^^^^^^^^^^^",
          "  its last output:",
          "  | said",
          "  all of it: STORE/logs/BUILD/2.log",
          "  see docs/errors.md#step-failed",
          "  failed after T: 0 steps cached, 1 ran, 1 failed",
          "exit code 1",
        ]
      `);
  });

  test(
    'a step that is ended because another failed is told from that one',
    { timeout: 120_000 },
    async ({ world }) => {
      await world.ok(['pull', 'busybox']);
      world.write({
        Dockerfile: `FROM busybox AS slow
RUN echo begun && sleep 600
FROM busybox
RUN sleep 1; exit 3
COPY --from=slow /etc/passwd /
`,
      });
      await using run = await build(world);
      await run.shows('exit code 1');
      const lines = masked(await run.history()).filter((line) => /^[✗⊘] |^ {2}failed/.test(line));
      expect(lines.toSorted()).toMatchInlineSnapshot(`
        [
          "  failed after T: 0 steps cached, 0 ran, 1 failed, 1 cancelled",
          "⊘ #1 slow     RUN echo begun && sleep 600                      cancelled,  T",
          "✗ #2 stage-1  RUN sleep 1; exit 3  T",
        ]
      `);
      const logs = (await world.ok(['logs'])).stdout.replaceAll('\n', '|');
      expect(logs).toBe('#1 [slow 2/2] RUN echo begun && sleep 600 (cancelled)|begun|');
      expect((await world.ok(['builds'])).stdout).toContain('0 cached, 0 ran, 1 failed, 1 cancelled');
      const plain = await world.run(['build', '.']);
      expect(plain.stderr).toMatch(/^#1 cancelled after \d+\.\d s$/m);
      expect(plain.stderr).toMatch(/^#2 failed after \d+\.\d s$/m);
    },
  );

  test(
    'on a terminal that becomes narrower, nothing of the old frame stays',
    { timeout: 120_000 },
    async ({ world }) => {
      world.write(APP);
      await world.ok(['pull', 'busybox']);
      // The cursor stands below: what grows pushes off what is above the frame.
      const size = { columns: 80, rows: 20 };
      await using run = await TerminalRun.start(world, ['build', '.'], size, { first: 'seq 20' });
      await run.shows(/│ 30%[^]*6 and is longer/);
      await run.resize({ columns: 60, rows: 20 });
      await run.shows(/a narrow te…$/m);
      const lines = masked(await run.history());
      expect(lines.slice(lines.indexOf('20'))).toMatchInlineSnapshot(`
        [
          "20",
          "✓ #1 one          COPY file /  T",
          "● #2 RUN echo 'line one' && printf '10%%\\r20%%\\r30%…  T",
          "  │ line    one",
          "  │ 30%",
          "● #3 RUN for i in 1 2 3 4 5 6; do echo "a line that…  T",
          "  │ a line that says 你好 3 and is longer than a narrow te…",
          "  │ a line that says 你好 4 and is longer than a narrow te…",
          "  │ a line that says 你好 5 and is longer than a narrow te…",
          "  │ a line that says 你好 6 and is longer than a narrow te…",
          "  T, 1 of 5 steps",
        ]
      `);
      await run.press('C-c');
      await run.shows('exit code 130');
    },
  );

  test.for([
    ['does not say its size', 'stty cols 0 rows 0'],
    ['cannot move its cursor', 'export TERM=dumb'],
  ] as const)('a terminal that %s', { timeout: 120_000 }, async ([, first], { world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN echo one\n' });
    await world.ok(['pull', 'busybox']);
    await using run = await TerminalRun.start(world, ['build', '-t', 'app', '.'], WIDE, { first });
    await run.shows('exit code 0');
    const lines = masked(await run.colored()).map((line) => line.replace(/^#1 \d+\.\d{3} /, '#1 0.000 '));
    expect(lines).toMatchSnapshot();
  });

  test('has no colours where nobody wants them', { timeout: 120_000 }, async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nLABEL a=b\n' });
    await using run = await TerminalRun.start(world, ['build', '.'], WIDE, { env: { NO_COLOR: '1' } });
    await run.shows('exit code 0');
    expect((await run.colored()).join('\n')).not.toContain('\u001b');
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'tmux'))(
  'an image that travels, on a terminal',
  () => {
    test('is given up at Ctrl-C, and leaves no bar', { timeout: 120_000 }, async ({ world }) => {
      await using slow = await startSlowRegistry(inject('registry'));
      const name = `${slow.host}/library/busybox`;
      await using pull = await TerminalRun.start(world, ['pull', name], WIDE);
      await pull.shows(/━+─+ {2}[\d.]+ [kM]B of/);
      await pull.press('C-c');
      await pull.shows('exit code');
      expect(await pull.history()).toMatchInlineSnapshot(`
        [
          "error[cancelled]: the pull was cancelled",
          "exit code 130",
        ]
      `);
      await pull[Symbol.asyncDispose]();

      await using run = await TerminalRun.start(world, ['run', name, 'echo', 'it ran'], WIDE);
      await run.shows(/━+─+ {2}[\d.]+ [kM]B of/);
      await run.press('C-c');
      await run.shows('exit code');
      expect(await run.history()).toMatchInlineSnapshot(`
        [
          "exit code 130",
        ]
      `);
    });

    test('has a bar, and then a line', { timeout: 120_000 }, async ({ world }) => {
      await using slow = await startSlowRegistry(inject('registry'));
      const name = `${slow.host}/library/busybox`;
      const shown = (lines: readonly string[]): string[] =>
        masked(lines).map((line) => line.replaceAll(slow.host, 'HOST').replaceAll(/[\d.]+ [kM]B/g, 'SIZE'));
      await using pull = await TerminalRun.start(world, ['pull', name], WIDE);
      // How much of the name there is room for depends on the digits of the rate.
      const [bar, ...rest] = shown(await pull.shows(/━+─+ {2}[\d.]+ [kM]B of/));
      expect(bar).toMatch(/^↓ HOST\/lib\S+ +━+─+ {2}SIZE of SIZE(?:, SIZE\/s)?$/);
      expect(rest).toEqual([]);
      slow.goOn();
      await pull.shows('exit code 0');
      expect(shown(await pull.history())).toMatchInlineSnapshot(`
        [
          "✓ pulled HOST/library/busybox:latest                  SIZE,  T",
          "  sha256:ID",
          "sha256:ID",
          "exit code 0",
        ]
      `);
      await pull[Symbol.asyncDispose]();

      await using again = await TerminalRun.start(world, ['pull', name], WIDE);
      await again.shows('exit code 0');
      expect(shown(await again.history())).toMatchInlineSnapshot(`
        [
          "✓ pulled HOST/library/busybox:latest",
          "  sha256:ID",
          "sha256:ID",
          "exit code 0",
        ]
      `);
      await again[Symbol.asyncDispose]();

      await world.ok(['tag', name, `${slow.host}/pushed`]);
      await using push = await TerminalRun.start(
        world,
        ['push', '--compression', 'none', `${slow.host}/pushed`],
        WIDE,
      );
      await push.shows('exit code 0');
      expect(shown(await push.history())).toMatchInlineSnapshot(`
        [
          "✓ pushed HOST/pushed:latest                             363 B,  T",
          "  sha256:ID",
          "sha256:ID",
          "exit code 0",
        ]
      `);
      await push[Symbol.asyncDispose]();

      // A command that needs it shows the same, and takes the bar away before anything is run.
      const other = { env: { CAISSON_ROOT: `${world.store}-2` } };
      await using run = await TerminalRun.start(world, ['run', name, 'echo', 'it ran'], WIDE, other);
      await run.shows('exit code 0');
      expect(shown(await run.history())).toMatchInlineSnapshot(`
        [
          "✓ pulled HOST/library/busybox:latest                  SIZE,  T",
          "it ran",
          "exit code 0",
        ]
      `);
      await run[Symbol.asyncDispose]();

      await using nowhere = await TerminalRun.start(world, ['pull', `${slow.host}/nowhere`], WIDE);
      await nowhere.shows('exit code 1');
      expect(shown(await nowhere.history())).toMatchInlineSnapshot(`
        [
          "error[not-found]: the registry HOST has no HOST/nowhere:latest",
          "exit code 1",
        ]
      `);
    });
  },
);
