import { readFileSync } from 'node:fs';
import { execa } from 'execa';

/** A program and its arguments. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What running something took. */
export interface Measured {
  readonly seconds: number;
  /** The most memory that its processes had at once, in bytes: seen 25 times a second, shared pages counted in each. */
  readonly peak: number;
}

const SAMPLE_MS = 40;

/** Runs commands one after another, and measures them as one. @throws Error where one fails */
export async function measure(...commands: readonly Command[]): Promise<Measured> {
  let peak = 0;
  const begun = performance.now();
  for (const { program, args, env = {} } of commands) {
    const running = execa(program, [...args], { env, reject: false, all: true });
    const sampler = setInterval(() => (peak = Math.max(peak, memoryOf(running.pid))), SAMPLE_MS);
    const { exitCode, all } = await running;
    clearInterval(sampler);
    if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${all}`);
  }
  return { seconds: (performance.now() - begun) / 1000, peak };
}

/** The resident memory of a process and of those that it started, in bytes. */
export function memoryOf(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? '0';
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return children.reduce((sum, child) => sum + memoryOf(child), Number(kilobytes) * 1024);
}

/** A file of /proc; nothing for a process that has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
