import { chmodSync, closeSync, constants, openSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_TYPE, makeNode } from '@caisson/sys';
import { PASSED_STREAMS } from '../../passed-streams.ts';
import type { ProgramSpec } from '../../sandbox-spec.ts';
import { OwnTerminal } from '../own-terminal.ts';
import { ownStreams, readPipe, writeAll, type OutputSink, type StandardStreams } from '../output.ts';

const NAMES = ['stdout', 'stderr'] as const;
type Name = (typeof NAMES)[number];

interface NamedPipe {
  readonly path: string;
  readonly read: number;
  readonly write: number;
}

/**
 * What a step writes, and what it writes to /dev/stdout and /dev/stderr: named pipes, since without a /proc of its own
 * links to its descriptors lead nowhere. Of a step whose output is read they are its streams.
 */
export class NamedOutput implements Disposable {
  readonly streams: StandardStreams;
  readonly #pipes: Readonly<Record<Name, NamedPipe>>;
  #isOpen = true;

  /** @param folder where to make the pipes */
  constructor(folder: string, spec: ProgramSpec, sink: OutputSink) {
    const own = spec.stdio === 'terminal' ? new OwnTerminal(spec.stdin).streams : ownStreams(spec);
    this.#pipes = { stdout: makeNamed(folder, 'stdout'), stderr: makeNamed(folder, 'stderr') };
    const drained = Promise.all(
      NAMES.map((name) => readPipe(this.#pipes[name].read, name, own === undefined ? sink : passOn(spec))),
    );
    const { stdout, stderr } = this.#pipes;
    this.streams = {
      stdio: own?.stdio ?? ['ignore', stdout.write, stderr.write],
      // A pipe that is opened later must be read still: not before it is disposed of does this end.
      started: () => own?.started(),
      drained: Promise.all([drained, own?.drained]).then(() => undefined),
      ...(own?.terminal && { terminal: own.terminal }),
    };
  }

  /** Moves the pipes to where the step finds them. What has a terminal finds a link to that. */
  moveTo(devices: string): void {
    for (const name of NAMES) {
      const { path } = this.#pipes[name];
      if (this.streams.terminal !== undefined) {
        unlinkSync(path);
        symlinkSync('tty', path);
      }
      renameSync(path, join(devices, name));
    }
  }

  /** Says that nobody writes any more: what was written can be read to its end. */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const name of NAMES) closeSync(this.#pipes[name].write);
  }

  [Symbol.dispose](): void {
    this.end();
    this.streams.terminal?.[Symbol.dispose]();
  }
}

function makeNamed(folder: string, name: Name): NamedPipe {
  const path = join(folder, name);
  makeNode(path, FILE_TYPE.fifo | 0o600, { major: 0, minor: 0 });
  chmodSync(path, 0o666); // the umask is not asked; the step may be another user's
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { path, read, write: openSync(path, constants.O_WRONLY) };
}

/** Writes to what the step has as its streams. */
function passOn({ stdio }: ProgramSpec): OutputSink {
  const { output, error } = stdio === 'passed' ? PASSED_STREAMS : { output: 1, error: 2 };
  return async (stream, data) => {
    await writeAll(stream === 'stdout' ? output : error, data);
  };
}
