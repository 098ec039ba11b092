import type * as z from 'zod/mini';

/** The first thing that is wrong with a document, in one line: `layers[2].digest: expected ...`. */
export function describeZodError(error: z.core.$ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'it does not have the expected form';
  const path = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  const where = path.replace(/^\./, '');
  return where === '' ? issue.message : `${where}: ${issue.message}`;
}
