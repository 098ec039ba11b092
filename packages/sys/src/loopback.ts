import { closeSync } from 'node:fs';
import { ioctl } from './ioctl.ts';
import { SOCK_CLOEXEC, socket } from './socket.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;
const IFREQ_SIZE = 40;
const IFR_FLAGS_OFFSET = 16;

/** Brings up `lo` in the network namespace of this process, which the kernel makes down. */
export function bringUpLoopback(): void {
  const fd = socket([AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0]);
  try {
    const request = Buffer.alloc(IFREQ_SIZE);
    request.write('lo', 'latin1');
    request.writeUInt16LE(IFF_UP, IFR_FLAGS_OFFSET);
    ioctl([fd, SIOCSIFFLAGS, request]);
  } finally {
    closeSync(fd);
  }
}
