/**
 * How `caisson` ends. `run` ends with the code of what it ran, and with docker's codes where that could not be started.
 */
export const EXIT = {
  ok: 0,
  /** What was asked for did not work out. */
  failed: 1,
  /** What was asked for makes no sense: an unknown flag, a missing argument, a file or a stage that is not there. */
  usage: 2,
  /** `run`: no container could be made. */
  notRun: 125,
  /** `run`: the command is there but cannot be run. */
  notExecutable: 126,
  /** `run`: there is no such command. */
  notFound: 127,
  /** Ended by SIGHUP: the terminal is gone. */
  hungUp: 129,
  /** Ended by Ctrl-C. */
  interrupted: 130,
  /** Nobody reads any more what is written (128 and the number of SIGPIPE). */
  unread: 141,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;
