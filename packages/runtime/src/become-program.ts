import {
  blockOnStandardStreams,
  errorCode,
  execve,
  findProgram,
  passOnStandardStreams,
  resetSignals,
} from '@caisson/sys';
import { RuntimeError } from './errors.ts';

/**
 * Becomes another program, as `exec` of a shell does: the same process, with its streams and signals as a program finds
 * them when a shell starts it. Nothing of what is to be done at the end of this one is done.
 * @param command the program, looked for in the PATH where it is no path, and its arguments
 * @throws RuntimeError `no-such-command`, `not-executable`
 */
export function becomeProgram(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string | undefined>>,
): never {
  const [name] = command;
  const path = name.includes('/') ? name : findProgram(name, env['PATH'] ?? '');
  if (path === undefined)
    throw new RuntimeError('no-such-command', `there is no command ${name} in the PATH`);
  const variables = Object.entries(env).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${value}`],
  );
  blockOnStandardStreams();
  passOnStandardStreams();
  resetSignals();
  try {
    return execve(path, command, variables);
  } catch (error) {
    const isMissing = errorCode(error) === 'ENOENT';
    throw new RuntimeError(
      isMissing ? 'no-such-command' : 'not-executable',
      isMissing
        ? `there is no ${name}`
        : `${name} is no program that can be run (${errorCode(error) ?? 'unknown'})`,
    );
  }
}
