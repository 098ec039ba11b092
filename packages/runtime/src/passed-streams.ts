/** Descriptors of this process that a program is to have as its standard streams. */
export interface PassedStreams {
  readonly input: number;
  readonly output: number;
  readonly error: number;
}

/** What they are in the sandbox host. */
export const PASSED_STREAMS: PassedStreams = { input: 3, output: 4, error: 5 };
