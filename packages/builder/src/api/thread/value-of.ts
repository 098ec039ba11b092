import type { Result } from '@caisson/oci';
import { BuildError, type Failure } from '../../failure.ts';

/** What work came to. @throws BuildError */
export function valueOf<T>(result: Result<T, readonly Failure[]>): T {
  if (result.ok) return result.value;
  throw new BuildError(result.error);
}
