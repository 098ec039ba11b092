import { runImage } from '../../run/run-image.ts';
import type { JobTools } from './do-job.ts';
import type { WireRun } from './protocol.ts';
import { registryOptions } from './registry-options.ts';
import { valueOf } from './value-of.ts';

/**
 * Runs a program.
 * @returns its exit code
 * @throws BuildError where nothing could be run, or a stream of the caller failed
 */
export async function doRunJob(
  { hasInput, taken, ...request }: WireRun,
  { signal, questions, onOutput }: Pick<JobTools, 'signal' | 'questions' | 'onOutput'>,
): Promise<number> {
  const ended = await runImage(
    {
      ...request,
      registry: registryOptions(request.registry, questions),
      signal,
      ...(hasInput ? { input: questions.input() } : {}),
      onOutput: (stream, data) => {
        const path = taken[stream];
        if (path !== undefined) return questions.put(path, data);
        onOutput(stream, data);
        return undefined;
      },
    },
    () => {},
  );
  const exitCode = valueOf(ended);
  for (const path of Object.values(taken)) await questions.endOf(path);
  return exitCode;
}
