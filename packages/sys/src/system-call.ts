import { constants } from 'node:os';
import { libcFunction, type Path } from './libc.ts';
import { SyscallError } from './syscall-error.ts';

/** System calls for which not every C library has a function, and their numbers. */
const NUMBERS = {
  close_range: { x64: 436, arm64: 436 },
  getdents64: { x64: 217, arm64: 61 },
  pivot_root: { x64: 155, arm64: 41 },
  statx: { x64: 332, arm64: 291 },
} as const satisfies Readonly<Record<string, Readonly<Record<string, number>>>>;

type Arguments = Parameters<ReturnType<typeof libcFunction>>[0];

/**
 * Declares a system call by its parameters, as C has them.
 * @returns a function that throws `SyscallError` where it fails, also on a machine whose numbers are not known
 */
export function systemCall(
  name: keyof typeof NUMBERS,
  parameters: string,
): (args: Arguments, path?: Path) => number {
  const call = libcFunction(`int64_t syscall(int64_t number, ${parameters})`, name);
  const { arch } = process;
  const numbers: Readonly<Partial<Record<string, number>>> = NUMBERS[name];
  return (args, path) => {
    const number = numbers[arch];
    if (number === undefined) throw new SyscallError(name, constants.errno.ENOSYS);
    return call([number, ...args], path);
  };
}
