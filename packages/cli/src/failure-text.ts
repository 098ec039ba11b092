import type { Failure, Warning } from '@caisson/builder';
import { errorPage, formatDiagnostic, show } from '@caisson/parser';
import { printable } from './output/line-splitter.ts';

const RED = '\u001b[31m';
const BOLD = '\u001b[1m';
const RESET = '\u001b[0m';

/** What can be told of something that went wrong. */
export type Telling = Omit<Failure, 'code' | 'exitCode'> & {
  readonly code: string;
  /** A document that says more. */
  readonly page?: string;
};

/** A failure of a build as people read it, with the page that explains it. */
export function buildFailureText(failure: Failure, hasColor: boolean): string {
  // Nobody has to be told what it means that they ended a build.
  const page = failure.code === 'cancelled' ? {} : { page: errorPage(failure.code) };
  return problemText('error', { ...failure, ...page }, hasColor);
}

/** A failure as people read it. Several lines, with a newline at the end. */
export function failureText(failure: Telling, hasColor: boolean): string {
  return problemText('error', failure, hasColor);
}

/** How many failures are printed: nobody reads thousands of them. */
const MAX_SHOWN = 20;

/** The failures of a build as people read them. */
export function buildFailuresText(failures: readonly Failure[], hasColor: boolean): string {
  const shown = failures.slice(0, MAX_SHOWN).map((failure) => buildFailureText(failure, hasColor));
  const more = failures.length - MAX_SHOWN;
  return shown.join('') + (more > 0 ? `... and ${more} more ${more === 1 ? 'error' : 'errors'}\n` : '');
}

/** A warning as people read it. */
export function warningText({ rule, ...warning }: Warning, hasColor: boolean): string {
  return problemText('warning', { ...warning, code: rule ?? '' }, hasColor);
}

/** Names of files, what a step wrote and what a registry says may hold what a terminal obeys. */
function problemText(severity: 'error' | 'warning', problem: Telling, hasColor: boolean): string {
  const { code, place, page, details, log, step } = problem;
  const message = harmless(problem.message);
  const expected = problem.expected && harmless(problem.expected);
  const suggestion = problem.suggestion && harmless(problem.suggestion);
  const hint = problem.hint && harmless(problem.hint);
  const lines = details?.map((line) => `  | ${printable(line)}`) ?? [];
  const output = lines.length === 0 ? [] : ['  its last output:', ...lines];
  const all = log === undefined ? [] : [`  all of it: ${harmless(log)}`];
  const which = step?.platform === undefined ? [] : [`  for ${step.platform}`];
  const end = [...which, ...output, ...all, ...(page === undefined ? [] : [`  see ${page}`])];
  if (place !== undefined) {
    const { path, source, range } = place;
    const optional = {
      ...(expected === undefined ? {} : { expected }),
      ...(suggestion === undefined ? {} : { suggestion }),
      ...(hint === undefined ? {} : { hint }),
    };
    const text = formatDiagnostic(
      { severity, code, message, range, ...optional },
      { path: harmless(path), source, color: hasColor },
    );
    return `${[text, ...end].join('\n')}\n`;
  }
  const label = code === '' ? severity : `${severity}[${code}]`;
  const head = hasColor ? `${RED}${label}${RESET}: ${BOLD}${message}${RESET}` : `${label}: ${message}`;
  const text = [
    head,
    ...(expected === undefined ? [] : [`  expected: ${expected}`]),
    ...(suggestion === undefined ? [] : [`  did you mean ${suggestion}?`]),
    ...(hint === undefined ? [] : [`  hint: ${hint}`]),
  ];
  return `${[...text, ...end].join('\n')}\n`;
}

/** A text of which control characters can be seen and do nothing; line ends stay. */
function harmless(text: string): string {
  return text.split('\n').map(show).join('\n');
}
