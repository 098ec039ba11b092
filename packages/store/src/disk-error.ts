import { errorCode } from '@caisson/sys';
import { StoreError } from './errors.ts';

/**
 * An error of the file system as one of the store: what it means for the user where that is known. Errors that are
 * none of the file system's come back as they are.
 * @param missing what to say where the file is not there
 */
export function diskError(error: unknown, doing: string, missing?: StoreError): unknown {
  if (error instanceof StoreError) return error;
  const path = pathOf(error);
  const where = path === undefined ? '' : ` (${path})`;
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new StoreError('no-space', `${doing}: no space left on the disk${where}`, {
        hint: 'caisson prune frees what no image needs; caisson du shows what is there',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StoreError('no-access', `${doing}: no permission${where}`, { cause: error });
    case 'ENOENT':
      return missing ?? error;
    default:
      return error;
  }
}

function pathOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('path' in error)) return undefined;
  return typeof error.path === 'string' ? error.path : undefined;
}
