import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';

/** docs/parser.md: programs, each followed by what it prints. */
const page = readFileSync(new URL('../../docs/parser.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/^## (.*)$[^]*?```ts\n([^]*?)```\n\n```text\n([^]*?)```/gm)];

test.each(examples.map(([, title = '', program = '', printed = '']) => ({ title, program, printed })))(
  '$title',
  async ({ program, printed }) => {
    // Node reads TypeScript; a workspace is found from its own folder.
    const { stdout } = await execa(process.execPath, ['--input-type=module-typescript', '--eval', program], {
      cwd: fileURLToPath(new URL('../../packages/cli', import.meta.url)),
      env: { NO_COLOR: '1' },
    });
    expect(`${stdout}\n`).toBe(printed);
  },
);

test('has an example in every section', () => {
  expect(examples).toHaveLength([...page.matchAll(/^## /gm)].length);
});
