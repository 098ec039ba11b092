import { describe, expect } from 'vitest';
import { test } from '../rig/world.ts';

describe('caisson check-ignore', () => {
  const files = {
    '.dockerignore': '# secrets\n*.pem\nlogs\n!logs/keep.log\n',
    'docker/Dockerfile': 'FROM scratch\n',
    'docker/Dockerfile.dockerignore': '**/*.md\n',
  };

  test('prints what is hidden, and ends with 1 where nothing is', async ({ world }) => {
    world.write(files);
    expect(await world.run(['check-ignore', 'a.pem', 'sub/a.pem', 'logs/x/y', 'logs/keep.log'])).toEqual({
      exitCode: 0,
      stdout: 'a.pem\nlogs/x/y\n',
      stderr: '',
    });
    expect(await world.run(['check-ignore', 'main.ts', '.'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: '',
    });
  });

  test('-v names the rule, -n the paths that have none', async ({ world }) => {
    world.write(files);
    const paths = ['./a.pem', 'logs/keep.log', 'main.ts'];
    expect((await world.run(['check-ignore', '-v', ...paths])).stdout).toBe(
      '.dockerignore:2:*.pem\t./a.pem\n.dockerignore:4:!logs/keep.log\tlogs/keep.log\n',
    );
    expect((await world.run(['check-ignore', '-vn', 'main.ts'])).stdout).toBe('::\tmain.ts\n');
  });

  test('goes by the ignore file of the Dockerfile, and the context that is named', async ({ world }) => {
    world.write(files);
    const args = ['check-ignore', '-v', '-f', 'docker/Dockerfile', 'a.pem', 'doc/a.md'];
    expect(await world.run(args)).toEqual({
      exitCode: 0,
      stdout: 'docker/Dockerfile.dockerignore:1:**/*.md\tdoc/a.md\n',
      stderr: '',
    });
    const { exitCode, stdout } = await world.run(['check-ignore', '--context', 'docker', 'docker/a.pem']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  });

  test('reads paths from the standard input', async ({ world }) => {
    world.write(files);
    const { stdout } = await world.run(['check-ignore', '--stdin'], { input: 'b.pem\nmain.ts\n' });
    expect(stdout).toBe('b.pem\n');
  });

  test('says what is wrong', async ({ world }) => {
    world.write({ '.dockerignore': 'ok\n[open\n' });
    expect(await world.run(['check-ignore', 'a'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `error[invalid-pattern]: a "[" of the pattern is not closed
  at .dockerignore:2:1
  1 | ok
> 2 | [open
    | ^^^^^
  expected: names with *, ?, [a-z] or **; "!" before a name takes files in again
  see docs/errors.md#invalid-pattern
`,
    });
    expect(await world.run(['check-ignore'])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'error[usage]: no path is given\n  expected: PATH..., or --stdin\n  see caisson check-ignore --help\n',
    });
    expect(await world.run(['check-ignore', '-n', 'a'])).toMatchObject({
      exitCode: 2,
      stderr: 'error[usage]: --non-matching needs --verbose\n  see caisson check-ignore --help\n',
    });
    expect(await world.run(['check-ignore', '--stdin', 'a'])).toMatchObject({
      exitCode: 2,
      stderr:
        'error[usage]: paths come as arguments or on the standard input, not both\n  see caisson check-ignore --help\n',
    });
    const outside = await world.run(['check-ignore', '--context', 'sub', 'a']);
    expect(outside.exitCode).toBe(2); // there is no folder sub
    expect(outside.stderr).toContain('error[invalid-request]: there is no folder ');
    world.write({ 'sub/.dockerignore': '', '.dockerignore': '' });
    expect(await world.run(['check-ignore', '--context', 'sub', 'a'])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error[usage]: a is not in the context ${world.context}/sub\n  hint: --context names the folder of the context\n  see caisson check-ignore --help\n`,
    });
  });
});
