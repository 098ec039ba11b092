import { libcFunction } from './libc.ts';

/** socket(2). */
export const socket = libcFunction('int socket(int domain, int type, int protocol)');

/** Of its type: no program that is started inherits it. */
export const SOCK_CLOEXEC = 0o2000000;
