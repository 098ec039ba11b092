import { randomUUID } from 'node:crypto';
import { relative, resolve } from 'node:path';
import type { Failure, Warning } from '@caisson/builder';
import type { Terminal } from '../../terminal.ts';
import { printableLine } from '../line-splitter.ts';

/** What a CI system reads in the lines of a log. Each text ends with a newline. */
export interface CiFormat {
  /** What stands around lines that are folded up under a title. Several may be open at once. */
  fold(title: string): Fold;
  /** What the system shows beside the line of the file that a problem is in; nothing where it has no such thing. */
  annotation(severity: 'error' | 'warning', problem: Failure | Warning): string;
  /** A text outside of what is folded up, in which the system finds nothing to obey. */
  inert(text: string): string;
}

/** The lines before and after what is folded up. */
export interface Fold {
  readonly begin: string;
  readonly end: string;
}

/**
 * The format of the CI system that a command runs in; undefined where it is none of those that are known.
 * @param context the folder that the path of the Dockerfile is seen from; undefined where that came from elsewhere
 */
export function ciFormat(
  { env, cwd }: Pick<Terminal, 'env' | 'cwd'>,
  context: string | undefined,
): CiFormat | undefined {
  if (env['GITHUB_ACTIONS'] === 'true') return new GitHubFormat(env['GITHUB_WORKSPACE'] ?? cwd, context);
  return env['GITLAB_CI'] === 'true' ? new GitLabFormat() : undefined;
}

/** Where texts go of which the CI system that a command runs in, if it runs in one, is to obey nothing. */
export function inertFor(
  terminal: Pick<Terminal, 'env' | 'cwd' | 'out' | 'error' | 'hasColor'>,
): Pick<Terminal, 'out' | 'error' | 'hasColor'> {
  const { out, error, hasColor } = terminal;
  const format = ciFormat(terminal, undefined);
  if (format === undefined) return { out, error, hasColor };
  return {
    out: (text) => out(format.inert(text)),
    error: (text) => error(format.inert(text)),
    hasColor,
  };
}

/**
 * GitHub Actions obeys lines of its own form, whoever writes them; an old form anywhere in a line. What steps write
 * stands between a word that nobody can guess and the same word again: so long nothing is obeyed.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
class GitHubFormat implements CiFormat {
  readonly #workspace: string;
  readonly #context: string | undefined;

  constructor(workspace: string, context: string | undefined) {
    this.#workspace = workspace;
    this.#context = context;
  }

  fold(title: string): Fold {
    const token = randomUUID();
    return {
      begin: `::group::${escapeData(title)}\n::stop-commands::${token}\n`,
      end: `::${token}::\n::endgroup::\n`,
    };
  }

  annotation(severity: 'error' | 'warning', problem: Failure | Warning): string {
    const { message, place } = problem;
    const title = 'code' in problem ? problem.code : problem.rule;
    const file = place === undefined ? undefined : this.#fileOf(place.path);
    const properties = [
      ...(place === undefined || file === undefined ? [] : [['file', file], ...linesOf(place)]),
      ...(title === undefined ? [] : [['title', title]]),
    ].map(([name = '', value = '']) => `${name}=${escapeProperty(value)}`);
    const details = properties.length === 0 ? '' : ` ${properties.join(',')}`;
    return `::${severity}${details}::${escapeData(printableLine(message))}\n`;
  }

  inert(text: string): string {
    return text.replaceAll('##[', '## [').replaceAll(/^(\s*):(?=:)/gm, '$1: ');
  }

  /** GitHub knows files by their paths in the repository; we by theirs in the context. */
  #fileOf(path: string): string | undefined {
    if (this.#context === undefined) return undefined;
    return relative(this.#workspace, resolve(this.#context, path));
  }
}

function linesOf({ range }: NonNullable<Failure['place']>): [string, string][] {
  return [
    ['line', String(range.start.line)],
    ['endLine', String(range.end.line)],
  ];
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/**
 * GitLab folds up what stands between two marks.
 * @see https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
 */
class GitLabFormat implements CiFormat {
  #sections = 0;

  fold(title: string): Fold {
    this.#sections++;
    const name = `caisson_${process.pid}_${this.#sections}`;
    return {
      begin: `${mark('start', name, '[collapsed=true]')}${title}\n`,
      get end() {
        return `${mark('end', name)}\n`;
      },
    };
  }

  annotation(): string {
    return '';
  }

  /** Its marks begin with control characters, which nothing that is shown has. */
  inert(text: string): string {
    return text;
  }
}

/** A mark of GitLab, with the time of this moment: it shows how long a section took. */
function mark(which: 'start' | 'end', section: string, options = ''): string {
  const now = Math.floor(Date.now() / 1000);
  return `\u001b[0Ksection_${which}:${now}:${section}${options}\r\u001b[0K`;
}
