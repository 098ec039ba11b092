import { oneOf } from './parse-options.ts';
import { UsageError } from './usage-error.ts';

/** What `caisson build` is to do with the Dockerfile. */
export type Call =
  | { readonly method: 'build' }
  | { readonly method: 'check'; readonly format: 'text' | 'json' };

/** What `--call` may be. */
export const CALL_CHOICES = ['build', 'check'] as const;

/** Methods of docker's that list what a Dockerfile has. */
const LISTS = new Set(['outline', 'targets', 'subrequests.describe']);

/** `--call`, as docker takes it, and `--check`, which is short for `--call=check`. @throws UsageError */
export function parseCall(call: string | undefined, isCheck: boolean): Call {
  const [name = '', ...fields] = (call ?? (isCheck ? 'check' : 'build')).split(',');
  if (LISTS.has(name))
    throw new UsageError(`--call ${name} is not supported yet`, { expected: 'build or check' });
  const method = oneOf('--call', name, CALL_CHOICES);
  if (isCheck && method !== 'check')
    throw new UsageError(`--check and --call=${method} say different things`, { expected: 'one of them' });
  let format: 'text' | 'json' = 'text';
  for (const field of fields) {
    const [key = '', value = ''] = field.split('=', 2);
    oneOf('--call field', key, ['format']);
    format = oneOf('--call format', value, ['text', 'json']);
  }
  return method === 'build' ? { method } : { method, format };
}
