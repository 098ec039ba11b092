import { closeSync, write } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errorCode, makePipe } from '@caisson/sys';
import { PASSED_STREAMS } from '../passed-streams.ts';
import type { ProgramSpec } from '../sandbox-spec.ts';

/** Takes what a sandbox writes. Resolves when it may be given more. */
export type OutputSink = (stream: 'stdout' | 'stderr', data: Uint8Array) => Promise<void>;

/** What a child gets as one of its streams: nothing, that of this process, or a descriptor. */
type StreamEnd = 'ignore' | 'inherit' | number;

/** The descriptors of a sandbox's standard streams. */
export interface StandardStreams {
  readonly stdio: [StreamEnd, StreamEnd, StreamEnd];
  /** To be called once the runtime has been started: the ends that it has are closed here. */
  started(): void;
  /** To be called once the runtime has ended: what it has not given by then, it never will. */
  ended?(): void;
  /** Resolves when everything that was written has been passed on. */
  readonly drained: Promise<void>;
  /** The terminal that they are, where it is shown here. */
  readonly terminal?: ShownTerminal;
}

/** A terminal of a program's own, which is shown in that of the caller. */
export interface ShownTerminal extends Disposable {
  /** The device, on the host, of one that was made here; or the socket over which the runtime gives the one that it makes. */
  readonly path: string;
  /** Gives it the size that the caller's has by now. */
  resize(): void;
}

/** Streams that are not read here; undefined where what a program writes is passed on. */
export function ownStreams({ stdio, stdin }: ProgramSpec): StandardStreams | undefined {
  switch (stdio) {
    case 'stream':
      return undefined;
    case 'passed':
      return passedStreams(stdin);
    case 'inherit':
    case 'terminal':
      return inheritStreams(stdin);
  }
}

/** Pipes, the other ends of which are read as output comes. */
export function streamOutput(sink: OutputSink): StandardStreams {
  const out = makePipe();
  const error = makePipe();
  const drained = Promise.all([readPipe(out.read, 'stdout', sink), readPipe(error.read, 'stderr', sink)]);
  return {
    stdio: ['ignore', out.write, error.write],
    started() {
      closeSync(out.write);
      closeSync(error.write);
    },
    drained: drained.then(() => undefined),
  };
}

/** The streams of the calling process. */
function inheritStreams(stdin: boolean): StandardStreams {
  return {
    stdio: [stdin ? 'inherit' : 'ignore', 'inherit', 'inherit'],
    started() {},
    drained: Promise.resolve(),
  };
}

/** The streams that the host was started with. */
function passedStreams(stdin: boolean): StandardStreams {
  const { input, output, error } = PASSED_STREAMS;
  return { stdio: [stdin ? input : 'ignore', output, error], started() {}, drained: Promise.resolve() };
}

/** Reads a pipe to its end, and closes it. */
export async function readPipe(fd: number, stream: 'stdout' | 'stderr', sink: OutputSink): Promise<void> {
  const socket = new Socket({ fd, readable: true, writable: false });
  for await (const chunk of socket) {
    if (chunk instanceof Uint8Array) await sink(stream, chunk);
  }
}

const writeTo = promisify(write);
/** How long to wait for who reads what takes nothing more, in milliseconds. */
const FULL = 10;

/** Writes to what somebody else reads. @returns whether he still does */
export async function writeAll(descriptor: number, data: Uint8Array): Promise<boolean> {
  for (let at = 0; at < data.length;) {
    try {
      at += (await writeTo(descriptor, data, at)).bytesWritten;
    } catch (failure) {
      if (errorCode(failure) !== 'EAGAIN') return false;
      await delay(FULL);
    }
  }
  return true;
}
