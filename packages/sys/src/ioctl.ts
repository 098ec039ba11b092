import { libcFunction } from './libc.ts';

/** ioctl(2) of what is asked with a structure. */
export const ioctl = libcFunction('int ioctl(int fd, uint64_t request, uint8_t *argument)');

/** ioctl(2) of what is asked with a number. */
export const ioctlOfNumber = libcFunction('int ioctl(int fd, uint64_t request, uint64_t argument)');
