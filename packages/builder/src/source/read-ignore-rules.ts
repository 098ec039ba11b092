import { statSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '@caisson/oci';
import type { IgnoreRules } from '../context/ignore-rules.ts';
import { buildError, type Failure } from '../failure.ts';
import { failuresOf } from '../failure-of.ts';
import { readIgnoreFor } from './ignore-file.ts';

/**
 * Reads the ignore file that a build of a folder would go by. The Dockerfile need not be there.
 * @param dockerfile where it lies; `Dockerfile` in the folder unless said otherwise
 * @returns the rules, or why there are none to go by: no folder, a pattern that is none
 */
export function readIgnoreRules(
  context: string,
  dockerfile: string = join(context, 'Dockerfile'),
): Result<IgnoreRules, readonly Failure[]> {
  try {
    if (statSync(context, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw buildError('invalid-request', `there is no folder ${context}`, {
        expected: 'the folder of the build context',
      });
    }
    return ok(readIgnoreFor(context, dockerfile));
  } catch (error) {
    const failures = failuresOf(error);
    if (failures === undefined) throw error;
    return err(failures);
  }
}
