import { createRequire } from 'node:module';
import { SyscallError } from './syscall-error.ts';

/** A path: a string is taken as UTF-8, bytes as they are. */
export type Path = string | Uint8Array;

type Argument = number | bigint | string | Uint8Array | BigInt64Array | Uint32Array | Int32Array | null;
interface NativeFunction {
  (...args: Argument[]): unknown;
  /** Calls it in another thread. The last argument is told the result. */
  async(...args: [...Argument[], (error: unknown, result: unknown) => void]): void;
}

/** What we use of koffi. */
interface Koffi {
  load(path: null): NativeLibrary;
  errno(): number;
  address(value: Uint8Array): bigint;
}

interface NativeLibrary {
  func(prototype: string): NativeFunction;
}

interface Libc {
  readonly koffi: Koffi;
  readonly library: NativeLibrary;
}

let loaded: Libc | undefined;

/** Loads koffi (10 ms) at the first call, and looks symbols up in the C library that Node itself is linked to. */
function libc(): Libc {
  if (loaded === undefined) {
    const load: (name: string) => Koffi = createRequire(import.meta.url);
    const koffi = load('koffi');
    loaded = { koffi, library: koffi.load(null) };
  }
  return loaded;
}

/** Loads it now, for who will make calls soon and has time before. */
export function loadLibc(): void {
  libc();
}

/**
 * Declares a function of the C library by its prototype. Nothing is loaded before its first call.
 * @param name what errors call it, where that is not the name in the prototype
 * @returns a function that throws {@link SyscallError} where the C function returns a negative number
 */
export function libcFunction(
  prototype: string,
  name = /(\w+)\(/.exec(prototype)?.[1] ?? prototype,
): (args: Argument[], path?: Path) => number {
  let native: NativeFunction | undefined;
  return (args, path) => {
    native ??= libc().library.func(prototype);
    const result = Number(native(...args));
    if (result < 0)
      throw new SyscallError(name, libc().koffi.errno(), path === undefined ? undefined : pathText(path));
    return result;
  };
}

/**
 * As {@link libcFunction}, for what takes long: it is called in another thread, whose errno nobody sees.
 * @returns a function that is given what is to be done afterwards, and tells that whether the C function failed
 */
export function libcTask(prototype: string): (args: Argument[], after: (isFailed: boolean) => void) => void {
  let native: NativeFunction | undefined;
  return (args, after) => {
    native ??= libc().library.func(prototype);
    native.async(...args, (error, result) => after(error instanceof Error || Number(result) < 0));
  };
}

/** A path as C wants it: its bytes and a NUL. A path that holds a NUL is refused, as node:fs does. */
export function cString(path: Path): Uint8Array {
  const size = typeof path === 'string' ? Buffer.byteLength(path) : path.length;
  const terminated = Buffer.allocUnsafe(size + 1);
  if (typeof path === 'string') terminated.write(path);
  else terminated.set(path);
  terminated[size] = 0;
  if (terminated.indexOf(0) < size) throw new Error('a path must not hold a NUL byte');
  return terminated;
}

/** Where bytes lie in memory. Keep them alive as long as anybody goes by it. */
export function addressOf(value: Uint8Array): bigint {
  return libc().koffi.address(value);
}

/** A NULL-terminated array of C strings. Keep the returned `strings` alive during the call. */
export function cStringArray(values: readonly Path[]): { pointers: BigInt64Array; strings: Uint8Array[] } {
  const strings = values.map(cString);
  const pointers = new BigInt64Array(strings.length + 1);
  strings.forEach((text, index) => {
    pointers[index] = addressOf(text);
  });
  return { pointers, strings };
}

function pathText(path: Path): string {
  return typeof path === 'string' ? path : Buffer.from(path).toString('utf8');
}
