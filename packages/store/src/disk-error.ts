import { errorCode, isFull, reachedLimit } from '@caisson/sys';
import { StoreError } from './errors.ts';

/**
 * An error of the file system as one of the store: what it means for the user where that is known. Errors that are
 * none of the file system's come back as they are.
 * @param missing what to say where the file is not there
 */
export function diskError(error: unknown, doing: string, missing?: StoreError): unknown {
  if (error instanceof StoreError) return error;
  if (isFull(error)) return noSpace(error, doing);
  switch (errorCode(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StoreError('no-access', `${doing}: no permission${where(error)}`, { cause: error });
    case 'ENOENT':
      return missing ?? error;
    default:
      return error;
  }
}

/** What to say where the disk that the store lies on is full. */
export function noSpace(cause: unknown, doing = 'cannot write to the store'): StoreError {
  return new StoreError('no-space', `${doing}: no space left on the disk${where(cause)}`, {
    hint: 'caisson prune frees what no image needs; caisson du shows what is there',
    cause,
  });
}

/** What to say of a disk that is full or gives errors, or of a limit, that nobody on the way expected; undefined for others. */
export function limitError(error: unknown): StoreError | undefined {
  if (isFull(error)) return noSpace(error);
  if (error instanceof Error && errorCode(error) === 'EIO')
    return new StoreError('damaged', `a disk gives errors: ${error.message}`, {
      hint: DISK_HINT,
      cause: error,
    });
  const limit = reachedLimit(error);
  return limit && new StoreError('no-access', limit.message, { hint: limit.hint, cause: error });
}

const DISK_HINT =
  'the log of the kernel says more (dmesg); caisson store verify says whether the store is whole';

/** The file that an error is of, where it says that. */
function where(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('path' in error)) return '';
  return typeof error.path === 'string' ? ` (${error.path})` : '';
}
