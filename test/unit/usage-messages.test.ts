import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { runProgram } from '../../packages/cli/src/program.ts';

/*
 * fixtures/usage.txt: command lines that make no sense, each with all that is said of it. `vitest run -u` writes what is
 * said of a line that was added: read it.
 */
const FILE = fileURLToPath(new URL('../../fixtures/usage.txt', import.meta.url));

test('what is said of command lines that make no sense', async () => {
  vi.spyOn(process, 'getuid').mockReturnValue(0);
  const lines = readFileSync(FILE, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('$ '));
  const said: string[] = [];
  for (const line of lines) {
    let text = '';
    const write = (more: string): void => {
      text += more;
    };
    const terminal = {
      env: {},
      cwd: '/nowhere',
      out: write,
      error: write,
      hasColor: false,
      isInteractive: false,
      drained: () => Promise.resolve(),
      screen: undefined,
    };
    const exitCode = await runProgram(line.split(' ').slice(1), terminal);
    said.push(`${line}\n${text}`);
    expect({ line, exitCode }).toEqual({ line, exitCode: 2 });
  }
  await expect(said.join('\n')).toMatchFileSnapshot(FILE);
});
