import type { Range } from './source-text.ts';

/** What a diagnostic is about. Stable: tools may match on it. */
export type DiagnosticCode =
  | 'empty-file'
  | 'line-too-long'
  | 'unknown-instruction'
  | 'missing-from'
  | 'missing-argument'
  | 'too-many-arguments'
  | 'unknown-flag'
  | 'duplicate-flag'
  | 'invalid-flag'
  | 'invalid-directive'
  | 'unsupported-syntax'
  | 'invalid-json'
  | 'invalid-key-value'
  | 'invalid-heredoc'
  | 'invalid-value'
  | 'invalid-pattern'
  | 'invalid-onbuild'
  | 'invalid-stage-name'
  | 'unknown-stage'
  | 'invalid-expansion'
  | 'invalid-base'
  | 'not-allowed'
  | 'not-supported';

/** Something to tell about a Dockerfile. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly code: DiagnosticCode;
  /** One sentence, without a full stop. */
  readonly message: string;
  readonly range: Range;
  /** What would have been right. */
  readonly expected?: string;
  /** The nearest right thing. */
  readonly suggestion?: string;
  /** What the user can do. */
  readonly hint?: string;
  /** A document that says more. */
  readonly page?: string;
}

/** The section of the documentation that explains an error. */
export function errorPage(code: string): string {
  return `docs/errors.md#${code}`;
}

/** An error, from its parts. */
export function errorAt(
  range: Range,
  code: DiagnosticCode,
  message: string,
  details: Pick<Diagnostic, 'expected' | 'hint'> & { readonly suggestion?: string | undefined } = {},
): Diagnostic {
  const { suggestion, ...rest } = details;
  return {
    severity: 'error',
    code,
    message,
    range,
    ...rest,
    ...(suggestion === undefined ? {} : { suggestion }),
    page: errorPage(code),
  };
}
