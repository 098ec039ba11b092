import { closeSync } from 'node:fs';
import { addressOf, cString, libcFunction } from './libc.ts';
import { SOCK_CLOEXEC, socket } from './socket.ts';
import { errorCode } from './syscall-error.ts';

const bind = libcFunction('int bind(int fd, const uint8_t *address, uint32_t size)');
const listen = libcFunction('int listen(int fd, int backlog)');
const accept4 = libcFunction('int accept4(int fd, void *address, void *size, int flags)');
const recvmsg = libcFunction('int64_t recvmsg(int fd, uint8_t *message, int flags)');

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
/** How long a path in an address may be, with its NUL. */
const PATH_SIZE = 108;

/** Where in one buffer lie a message's header, the place of its data, its control data and its data, cmsg(3). */
const LAYOUT = { vector: 64, control: 128, data: 192, size: 4096 } as const;
/** Where in a header the fields are, and in a control message. */
const HEADER = { vector: 16, vectorLength: 24, control: 32, controlLength: 40 } as const;
const CONTROL = { level: 8, type: 12, data: 16, size: 20 } as const;

/**
 * Makes a socket of the local machine that programs can connect to, unix(7). Nothing waits on it.
 * @param path of at most 107 bytes; there must not be anything
 */
export function listenAt(path: string): number {
  const name = cString(path);
  if (name.length > PATH_SIZE) throw new Error(`Internal error: too long for a socket: ${path}`);
  const descriptor = socket([AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0]);
  try {
    const address = Buffer.alloc(2 + name.length);
    address.writeUInt16LE(AF_UNIX);
    address.set(name, 2);
    bind([descriptor, address, address.length], path);
    listen([descriptor, 1]);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The next connection to a socket; undefined where there is none yet. */
export function acceptConnection(listening: number): number | undefined {
  return unlessNothing(() => accept4([listening, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC]));
}

/**
 * A descriptor that was sent over a connection, cmsg(3); undefined where there is none: none yet, or never one, since the
 * other side is gone.
 * @throws Error for a message without one
 */
export function receiveDescriptor(connection: number): number | undefined {
  const message = Buffer.alloc(LAYOUT.size);
  const at = addressOf(message);
  message.writeBigUInt64LE(at + BigInt(LAYOUT.vector), HEADER.vector);
  message.writeBigUInt64LE(1n, HEADER.vectorLength);
  message.writeBigUInt64LE(at + BigInt(LAYOUT.control), HEADER.control);
  message.writeBigUInt64LE(BigInt(LAYOUT.data - LAYOUT.control), HEADER.controlLength);
  message.writeBigUInt64LE(at + BigInt(LAYOUT.data), LAYOUT.vector);
  message.writeBigUInt64LE(BigInt(LAYOUT.size - LAYOUT.data), LAYOUT.vector + 8);
  const size = unlessNothing(() => recvmsg([connection, message, MSG_CMSG_CLOEXEC])) ?? 0;
  if (size === 0) return undefined;
  const control = message.subarray(LAYOUT.control, LAYOUT.data);
  const isDescriptor =
    message.readBigUInt64LE(HEADER.controlLength) >= CONTROL.size &&
    control.readInt32LE(CONTROL.level) === SOL_SOCKET &&
    control.readInt32LE(CONTROL.type) === SCM_RIGHTS;
  if (!isDescriptor) throw new Error('a message brought no descriptor');
  return control.readInt32LE(CONTROL.data);
}

/** What a call gives that would have to wait otherwise. */
function unlessNothing(call: () => number): number | undefined {
  try {
    return call();
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return undefined;
    throw error;
  }
}
