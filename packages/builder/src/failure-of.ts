import { LayerError } from '@caisson/layer';
import { RegistryError, type RegistryErrorCode } from '@caisson/registry/errors';
import { RuntimeError, type RuntimeErrorCode } from '@caisson/runtime';
import { limitError, noSpace, StoreError, type StoreErrorCode } from '@caisson/store';
import { errorCode, isFull, reachedLimit, UNMAPPED_HINT, UNMAPPED_ID } from '@caisson/sys';
import { BuildError, type Failure, type FailureCode } from './failure.ts';

/**
 * What an error means for whoever asked for the build; undefined for one that nobody expected, which is a bug.
 * @param defaults what is known of where it happened
 */
export function failuresOf(
  error: unknown,
  defaults: Pick<Failure, 'place' | 'step'> = {},
): readonly Failure[] | undefined {
  // Something failed, and then giving back what it held: the first is what is to be told.
  if (error instanceof SuppressedError) return failuresOf(error.suppressed, defaults);
  if (error instanceof BuildError) return error.failures.map((failure) => ({ ...defaults, ...failure }));
  const failure = expectedFailure(error);
  if (failure === undefined) return undefined;
  // It is of no interest what was going on when somebody ended it.
  if (failure.code === 'cancelled') return [{ code: 'cancelled', message: 'the build was cancelled' }];
  return [{ ...defaults, ...failure }];
}

function expectedFailure(error: unknown): Failure | undefined {
  // Whoever writes elsewhere than to the store says so himself.
  if (isFull(error) || (error instanceof RuntimeError && error.code === 'no-space'))
    return expectedFailure(noSpace(error));
  if (error instanceof StoreError) {
    return withHint(storeCode(error.code), error.message, error.hint);
  }
  if (error instanceof RuntimeError) return withHint(RUNTIME_CODES[error.code], error.message, error.hint);
  if (error instanceof RegistryError) return withHint(registryCode(error.code), error.message, error.hint);
  if (error instanceof LayerError) {
    const code = error.code === 'changed-while-read' ? 'changed-while-read' : 'bad-image';
    return { code, message: error.message };
  }
  if (error instanceof Error && errorCode(error) === UNMAPPED_ID)
    return withHint('no-permission', error.message, UNMAPPED_HINT);
  if (isAbort(error)) return { code: 'cancelled', message: 'cancelled' };
  const limit = reachedLimit(error);
  if (limit !== undefined) return { code: 'no-permission', ...limit };
  return systemFailure(error);
}

const RUNTIME_CODES: Readonly<Record<RuntimeErrorCode, FailureCode>> = {
  'not-root': 'no-permission',
  'missing-tool': 'step-not-run',
  unsupported: 'step-not-run',
  'no-such-user': 'step-not-run',
  'no-such-command': 'no-such-command',
  'not-executable': 'not-executable',
  'unsafe-path': 'step-not-run',
  'sandbox-failed': 'step-not-run',
  'commit-failed': 'step-not-run',
  'host-died': 'step-not-run',
  'no-space': 'no-space',
  aborted: 'cancelled',
};

function storeCode(code: StoreErrorCode): FailureCode {
  return code === 'no-space' || code === 'no-such-image' ? code : 'store';
}

function registryCode(code: RegistryErrorCode): FailureCode {
  if (code === 'aborted') return 'cancelled';
  return code === 'digest-mismatch' || code === 'size-mismatch' || code === 'not-an-image'
    ? 'bad-image'
    : 'registry';
}

const VERIFY = 'caisson store verify says what is wrong with a store';

/** An error of the file system that no step of the way put in better words. */
function systemFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || !('syscall' in error)) return undefined;
  switch (errorCode(error)) {
    case 'EACCES':
      return { code: 'no-permission', message: deniedText(error) };
    case 'EPERM':
    case 'EROFS':
      return { code: 'no-permission', message: error.message };
    case 'EIO':
      return expectedFailure(limitError(error));
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ESTALE':
      // What a build reads besides the store is looked for where it is read: there, that is told in other words.
      return withHint('store', `something that should be in the store is not: ${error.message}`, VERIFY);
    default:
      return undefined;
  }
}

/** Where the modes of files say no. */
function deniedText(error: Error & { readonly syscall?: unknown }): string {
  if (!('path' in error) || typeof error.path !== 'string') return error.message;
  switch (error.syscall) {
    case 'scandir':
    case 'opendir':
      return `the folder ${error.path} cannot be read: permission denied`;
    case 'open':
      return `${error.path} cannot be opened: permission denied`;
    default:
      return error.message;
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function withHint(code: FailureCode, message: string, hint: string | undefined): Failure {
  return hint === undefined ? { code, message } : { code, message, hint };
}
