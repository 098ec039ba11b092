import { closeSync, writeSync } from 'node:fs';
import { cString, libcFunction } from './libc.ts';
import { errorCode } from './syscall-error.ts';

const memfdCreate = libcFunction('int memfd_create(const void *name, uint32_t flags)');
const fcntl = libcFunction('int fcntl(int fd, int command, int argument)');

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** Kernels before 6.3 do not know it; later ones want to be told. */
const MFD_EXEC = 0x10;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE. */
const ALL_SEALS = 0xf;

/**
 * Makes a file that lies in memory, has no name, and that nobody can change any more. It can be run as
 * `/proc/self/fd/N` from this process; what it starts does not inherit it.
 * @returns its descriptor
 */
export function sealedFile(name: string, bytes: Uint8Array): number {
  const fd = createFile(name);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
    fcntl([fd, F_ADD_SEALS, ALL_SEALS]);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

function createFile(name: string): number {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  try {
    return memfdCreate([cString(name), flags | MFD_EXEC]);
  } catch (error) {
    if (errorCode(error) !== 'EINVAL') throw error;
    return memfdCreate([cString(name), flags]);
  }
}
