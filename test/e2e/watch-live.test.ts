import { describe, expect } from 'vitest';
import { masked, TerminalRun } from '../rig/tmux.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

const WIDE = { columns: 80, rows: 24 };

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'tmux'))('a watch on a terminal', () => {
  test('shows each build live, and leaves what came of it', { timeout: 120_000 }, async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nCOPY a /\nRUN cat /a && sleep $(cat /a)\n', a: '0\n' });
    await world.ok(['pull', 'busybox']);
    await using run = await TerminalRun.start(world, ['watch', '-t', 'app', '.'], WIDE);
    expect(masked(await run.shows('waiting for changes'))).toMatchInlineSnapshot(`
      [
        "✓ #1 COPY a /  T",
        "✓ #2 RUN cat /a && sleep $(cat /a)  T",
        "✓ app:latest  1.12 MB",
        "  sha256:ID",
        "  built in T: 0 steps cached, 2 ran",
        "    #1-#2: no earlier record",
        "  waiting for changes",
      ]
    `);
    world.replace('a', '600\n');
    expect(masked(await run.shows(/│ 600$[^]*1 of 2 steps/m))).toMatchInlineSnapshot(`
      [
        "✓ #1 COPY a /  T",
        "✓ #2 RUN cat /a && sleep $(cat /a)  T",
        "✓ app:latest  1.12 MB",
        "  sha256:ID",
        "  built in T: 0 steps cached, 2 ran",
        "    #1-#2: no earlier record",
        "changed: a",
        "✓ #1 COPY a /  T",
        "● #2 RUN cat /a && sleep $(cat /a)  T",
        "  │ 600",
        "  T, 1 of 2 steps",
      ]
    `);
    world.replace('a', '0.1\n');
    expect(masked(await run.shows(/changed: a$[^]*changed while[^]*changed: a$[^]*waiting/m)))
      .toMatchInlineSnapshot(`
      [
        "✓ #1 COPY a /  T",
        "✓ #2 RUN cat /a && sleep $(cat /a)  T",
        "✓ app:latest  1.12 MB",
        "  sha256:ID",
        "  built in T: 0 steps cached, 2 ran",
        "    #1-#2: no earlier record",
        "changed: a",
        "✓ #1 COPY a /  T",
        "changed while it was built: a",
        "⊘ #2 RUN cat /a && sleep $(cat /a)                             cancelled,  T",
        "changed: a",
        "✓ #1 COPY a /  T",
        "✓ #2 RUN cat /a && sleep $(cat /a)  T",
        "✓ app:latest  1.12 MB, as large as before",
        "  sha256:ID",
        "  built in T: 0 steps cached, 2 ran",
        "    #1: a: content",
        "    #2: #1 COPY a / gave other files",
        "  waiting for changes",
      ]
    `);
    world.replace('Dockerfile', 'FROM busybox\nCOPI a /\n');
    await run.shows(/COPI[^]*waiting for changes/);
    await run.press('C-c');
    await run.shows('exit code 130');
    const ended = masked(await run.history());
    expect(ended.slice(ended.indexOf('changed: Dockerfile'))).toMatchInlineSnapshot(`
      [
        "changed: Dockerfile",
        "error[unknown-instruction]: there is no instruction "COPI"",
        "  at Dockerfile:2:1",
        "  1 | FROM busybox",
        "> 2 | COPI a /",
        "    | ^^^^",
        "  did you mean COPY?",
        "  see docs/errors.md#unknown-instruction",
        "  failed after T: 0 steps cached, 0 ran",
        "exit code 130",
      ]
    `);
    expect(ended).not.toContain('  waiting for changes');
  });

  test('in lines where a container or a command writes between', { timeout: 120_000 }, async ({ world }) => {
    world.write({
      Dockerfile: 'FROM busybox\nCOPY a /\nCMD ["sh", "-c", "cat /a; sleep 600"]\n',
      a: 'one\n',
    });
    await world.ok(['pull', 'busybox']);
    await using run = await TerminalRun.start(world, ['watch', '--progress=tty', '--run', '.'], WIDE);
    const screen = masked(await run.shows(/^one$/m));
    expect(screen.slice(0, 3)).toMatchInlineSnapshot(`
      [
        "warning: with --run, which writes to the same terminal, builds are shown in line",
        "s, and not as tty",
        "base busybox:latest 5989df00cdfe (from the store)",
      ]
    `);
    // The shell in the container is its first process, which takes no notice of SIGTERM.
    world.write({ a: 'two\n' });
    await run.shows(/^waiting for the container to end$[^]*^two$/m);
    await run.press('C-c');
    const ended = await run.shows('exit code 130');
    expect(ended.slice(ended.indexOf('two'))).toMatchInlineSnapshot(`
      [
        "two",
        "^C",
        "waiting for the container to end",
        "exit code 130",
      ]
    `);
  });
});
