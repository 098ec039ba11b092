import { flagOrVariable, type Given } from '../flag-or-variable.ts';
import { oneOf } from '../parse-options.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { ciFormat, inertFor } from './ci/ci-format.ts';
import type { Progress, ProgressKind } from './progress.ts';

/** What `--progress` may be. */
export const PROGRESS_KINDS: readonly ProgressKind[] = ['auto', 'tty', 'plain', 'rawjson', 'quiet'];

/** How progress is to be shown: by `--progress`, else by a variable of ours, else by docker's. @throws UsageError */
export function progressKind(flag: string | undefined, terminal: Terminal): ProgressKind {
  const given: Given | undefined =
    flagOrVariable('--progress', flag, 'CAISSON_PROGRESS', terminal) ??
    flagOrVariable('--progress', undefined, 'BUILDKIT_PROGRESS', terminal);
  const kind = given === undefined ? 'auto' : oneOf(given.by, given.value, PROGRESS_KINDS);
  if (kind === 'tty' && terminal.screen === undefined)
    throw new UsageError(`${given?.by} tty: the standard error is no terminal`, {
      expected: 'auto or plain',
    });
  return kind;
}

/**
 * Begins to show a build. What a kind needs is loaded when it is chosen: most builds in scripts need no live view.
 * @param context the folder that the path of the Dockerfile is seen from; undefined where that comes from elsewhere
 */
export async function openProgress(
  kind: ProgressKind,
  terminal: Terminal,
  context?: string,
): Promise<Progress> {
  switch (kind) {
    case 'quiet': {
      const { QuietProgress } = await import('./quiet-progress.ts');
      return new QuietProgress(inertFor(terminal));
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
      return isMovable(terminal) ? live(terminal) : plain(terminal);
    }
    case 'tty':
      return live(terminal);
  }
}

/** Whether what has no flag that says so is drawn on a terminal: not where a variable asks for lines, or in CI. */
export function drawsLive(terminal: Terminal): boolean {
  const { env } = terminal;
  const asked = env['CAISSON_PROGRESS'] ?? env['BUILDKIT_PROGRESS'] ?? 'auto';
  if (asked === 'tty') return terminal.screen !== undefined;
  return asked === 'auto' && isLive(asked, terminal);
}

/** Whether a kind draws on this terminal, which it has where that is asked for. */
export function isLive(kind: ProgressKind, terminal: Terminal): boolean {
  if (kind === 'tty') return true;
  return kind === 'auto' && ciFormat(terminal, undefined) === undefined && isMovable(terminal);
}

/** Whether there is a terminal on which the cursor can be moved. */
function isMovable({ screen, env }: Terminal): boolean {
  return screen !== undefined && env['TERM'] !== 'dumb';
}

async function live(terminal: Terminal): Promise<Progress> {
  const { LiveProgress } = await import('./live/live-progress.ts');
  return new LiveProgress(terminal);
}

async function plain(terminal: Terminal): Promise<Progress> {
  const { PlainProgress } = await import('./plain-progress.ts');
  return new PlainProgress(inertFor(terminal));
}
