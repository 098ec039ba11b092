import { flagOrVariable, type Given } from '../flag-or-variable.ts';
import { oneOf } from '../parse-options.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { ciFormat } from './ci/ci-format.ts';
import type { Progress, ProgressKind } from './progress.ts';

const KINDS: readonly ProgressKind[] = ['auto', 'tty', 'plain', 'rawjson', 'quiet'];

/** How progress is to be shown: by `--progress`, else by a variable of ours, else by docker's. @throws UsageError */
export function progressKind(flag: string | undefined, terminal: Terminal): ProgressKind {
  const given: Given | undefined =
    flagOrVariable('--progress', flag, 'CAISSON_PROGRESS', terminal) ??
    flagOrVariable('--progress', undefined, 'BUILDKIT_PROGRESS', terminal);
  const kind = given === undefined ? 'auto' : oneOf(given.by, given.value, KINDS);
  if (kind === 'tty' && terminal.screen === undefined)
    throw new UsageError(`${given?.by} tty: the standard error is no terminal`, {
      expected: 'auto or plain',
    });
  return kind;
}

/**
 * Begins to show a build. What a kind needs is loaded when it is chosen: most builds in scripts need no live view.
 * @param context the folder that is built; undefined where it comes from elsewhere
 */
export async function openProgress(
  kind: ProgressKind,
  terminal: Terminal,
  context?: string,
): Promise<Progress> {
  const { env, screen } = terminal;
  switch (kind) {
    case 'quiet': {
      const { QuietProgress } = await import('./quiet-progress.ts');
      return new QuietProgress(terminal);
    }
    case 'rawjson': {
      const { RawJsonProgress } = await import('./raw-json-progress.ts');
      return new RawJsonProgress(terminal);
    }
    case 'plain':
      return plain(terminal);
    case 'auto': {
      const format = ciFormat(terminal, context);
      if (format !== undefined) {
        const { CiProgress } = await import('./ci/ci-progress.ts');
        return new CiProgress(terminal, format);
      }
      if (screen === undefined || env['TERM'] === 'dumb') return plain(terminal);
      return live(terminal, screen);
    }
    case 'tty':
      if (screen === undefined) throw new Error('Internal error: there is no terminal');
      return live(terminal, screen);
  }
}

async function live(
  { error, hasColor, env }: Terminal,
  screen: NonNullable<Terminal['screen']>,
): Promise<Progress> {
  const { LiveProgress } = await import('./live/live-progress.ts');
  return new LiveProgress({ error, hasColor, env, screen });
}

async function plain(terminal: Terminal): Promise<Progress> {
  const { PlainProgress } = await import('./plain-progress.ts');
  return new PlainProgress(terminal);
}
