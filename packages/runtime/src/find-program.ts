/* What a command of an ordinary user needs before anything else is loaded. */
export { findProgram } from '@caisson/sys/find-program';
