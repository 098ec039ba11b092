import { expect, test } from 'vitest';
import type { Terminal } from '../terminal.ts';
import { openProgress } from './open-progress.ts';
import type { ProgressKind } from './progress.ts';
import { cached, done, started, stepInfo, wrote } from './testing/events.ts';
import { Written } from './testing/written.ts';

/** What the runner of GitHub Actions would obey: commands at the beginning of a line, the old ones anywhere. */
function obeyed(text: string): string[] {
  const commands: string[] = [];
  let token: string | undefined;
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*::([\w-]+)(?: [^:]*)?::(.*)$/.exec(line) ?? [];
    if (token !== undefined) {
      if (name === token) token = undefined;
    } else if (name === 'stop-commands') token = value;
    else if (name !== undefined || line.includes('##[')) commands.push(line);
  }
  return commands;
}

/** All that is written of a build whose step, Dockerfile and failure try to give commands. */
async function written(kind: ProgressKind, env: Readonly<Record<string, string>>): Promise<string> {
  const text = new Written();
  const terminal: Terminal = {
    env,
    cwd: '/work',
    out: text.error,
    error: text.error,
    drained: () => Promise.resolve(),
    hasColor: false,
    isInteractive: false,
    screen: undefined,
  };
  const progress = await openProgress(kind, terminal);
  const evil =
    '::add-mask::x\n  ::set-env name=A::b\n##[add-path]/evil\nx ##[error]y\n\u001b[0Ksection_start:1:a\r\u001b[0Kz\n';
  const step = stepInfo(2, `RUN <<E\n${evil}E`);
  progress.emit(cached(stepInfo(1, 'COPY ##[add-mask]a /b')));
  progress.emit(started(step));
  progress.emit(wrote(step, evil));
  progress.emit(done(step));
  progress.emit({ kind: 'warning', message: evil });
  const details = evil.split('\n');
  progress.emit({ kind: 'failed', failures: [{ code: 'step-failed', message: evil, details, hint: evil }] });
  progress.finish('failed');
  return text.text;
}

test.each(['plain', 'quiet', 'rawjson', 'auto'] as const)(
  'with --progress %s, GitHub Actions obeys nothing that is not ours',
  async (kind) => {
    const text = await written(kind, { GITHUB_ACTIONS: 'true' });
    const ours = /^::(?:group::#2 |endgroup::$|(?:error|warning)[ :])/;
    expect(obeyed(text).filter((line) => !ours.test(line))).toEqual([]);
    expect(text).toContain('add-path');
  },
);

test.each(['plain', 'quiet', 'rawjson', 'auto'] as const)(
  'with --progress %s, GitLab finds no marks that are not ours',
  async (kind) => {
    const text = await written(kind, { GITLAB_CI: 'true' });
    // A mark is one only between these.
    const marks = text.split('\u001b[0K').filter((part) => part.startsWith('section_'));
    expect(marks.filter((mark) => !mark.includes(':caisson_'))).toEqual([]);
  },
);

test('outside of CI, lines are as they were written', async () => {
  expect(await written('plain', {})).toContain('x ##[error]y\n');
});
