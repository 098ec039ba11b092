import { atIntervals } from '../at-intervals.ts';

/** How far git is with a repository that it fetches. */
export interface GitProgress {
  /** Without what is secret in it. */
  readonly repository: string;
  /** What git is at, in its words: `Counting objects`, `Receiving objects`, `Resolving deltas`. */
  readonly phase: string;
  /** How many objects are done, of how many. */
  readonly done: number;
  readonly total: number;
}

/** What git says with --progress: the server's part has `remote:` in front of it. */
const FAR = /^(?:remote: )?(\w[\w ]*): +\d+% \((\d+)\/(\d+)\)/;
/** What else it says then, and nobody needs when it fails. */
const TALK = /^(?:remote: (?:Enumerating objects|Total \d)|From |(?: [-*+=t!] |   )\S+ .* -> )/;

/** Reads how far git is from what it says, and tells it now and then. */
export class GitProgressReader {
  readonly #tell: (far: Omit<GitProgress, 'repository'>) => void;
  #rest = '';
  #phase = '';
  #far: ((done: number) => void) | undefined;

  constructor(tell: (far: Omit<GitProgress, 'repository'>) => void) {
    this.#tell = tell;
  }

  /** Takes what git says, as it comes. */
  push(text: string): void {
    const lines = `${this.#rest}${text}`.split(/[\r\n]/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    const [, phase, done, all] = FAR.exec(line) ?? [];
    if (phase === undefined) return;
    const total = Number(all);
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#far = atIntervals(total, (now) => this.#tell({ phase, done: now, total }));
    }
    this.#far?.(Number(done));
  }
}

/** What git said, without what only tells that all goes well. */
export function withoutProgress(text: string): string {
  return text
    .split(/[\r\n]+/)
    .filter((line) => !FAR.test(line) && !TALK.test(line))
    .join('\n');
}
