import type { BuildEvent, FilesSoFar, StepInfo } from '@caisson/builder';
import { filesText } from '../format.ts';
import { LineSplitter } from '../line-splitter.ts';
import { reasonText } from '../reason-text.ts';
import { StepTally } from '../step-tally.ts';
import { Transfer } from './transfer.ts';

/** How many of its last lines are kept of a step. */
const TAIL = 12;

/** A step that is running. */
export interface RunningStep {
  readonly step: StepInfo;
  readonly begunAt: number;
  /** Why it runs, in a line. */
  readonly why: string;
  /** The last lines that it wrote. */
  readonly tail: () => readonly string[];
  readonly write: (data: Uint8Array) => void;
  /** Notes how far it is with copying. */
  readonly copy: (soFar: FilesSoFar) => void;
}

/** What was told last of something, and when. */
export interface Told<Kind extends BuildEvent['kind']> {
  readonly event: Extract<BuildEvent, { kind: Kind }>;
  readonly at: number;
}

/** A context of which many files are read. */
export interface ContextRead {
  readonly transfer: Transfer;
  soFar: FilesSoFar;
}

/** What of a build is worth seeing at this moment. Times are in milliseconds, of one clock. */
export class BuildView {
  readonly begunAt: number;
  readonly tally = new StepTally();
  /** By number. */
  readonly running = new Map<number, RunningStep>();
  /** What is read, by what people call the context. */
  readonly reads = new Map<string, ContextRead>();
  /** What comes and goes, by what it is called. */
  readonly pulls = new Map<string, Transfer>();
  readonly pushes = new Map<string, Transfer>();
  /** What is fetched from URLs, and compressed for a place. */
  readonly downloads = new Map<string, Transfer>();
  readonly compressions = new Map<string, Transfer>();
  /** What is looked through, by what people call the context, and the repositories that git fetches. */
  readonly walks = new Map<string, Told<'walk'>>();
  readonly repositories = new Map<string, Told<'git'>>();
  steps: readonly StepInfo[] = [];
  /** The image, or those for several platforms, once it is complete. */
  image: Extract<BuildEvent, { kind: 'image' | 'index' }> | undefined;

  /** What it is known by in the last registry that it was sent to. */
  pushed: Extract<BuildEvent, { kind: 'pushed' }> | undefined;

  constructor(now: number) {
    this.begunAt = now;
  }

  note(event: BuildEvent, now: number): void {
    this.tally.note(event);
    switch (event.kind) {
      case 'planned':
        this.steps = event.steps;
        break;
      case 'step-started':
        this.running.set(event.step.id, runningStep(event.step, reasonText(event.reason), now));
        break;
      case 'step-output':
        this.running.get(event.step.id)?.write(event.data);
        break;
      case 'step-copying':
        this.running.get(event.step.id)?.copy(event);
        break;
      case 'step-done':
      case 'step-failed':
      case 'step-cancelled':
        this.running.delete(event.step.id);
        break;
      case 'read':
        if (event.files === event.allFiles) this.reads.delete(event.context);
        else noteRead(this.reads, event, now);
        break;
      case 'walk':
        this.walks.set(event.context, { event, at: now });
        break;
      case 'git':
        this.repositories.set(event.repository, { event, at: now });
        break;
      case 'download': {
        const { url, received, size = 0 } = event;
        transferOf(this.downloads, url, now).note(url, received, size, now);
        break;
      }
      case 'compress': {
        const { name, digest, done, size } = event;
        transferOf(this.compressions, name, now).note(digest, done, size, now);
        break;
      }
      case 'fetch':
        transferOf(this.pulls, event.image, now).note(event.digest, event.received, event.size, now);
        break;
      case 'send':
        transferOf(this.pushes, event.name, now).note(event.digest, event.sent, event.size, now);
        break;
      case 'pushing':
        transferOf(this.pushes, event.name, now);
        break;
      case 'pushed':
        this.pushed = event;
        break;
      case 'image':
      case 'index':
        this.image = event;
        break;
      default:
    }
  }
}

function transferOf(transfers: Map<string, Transfer>, name: string, now: number): Transfer {
  const transfer = transfers.get(name) ?? new Transfer(now);
  transfers.set(name, transfer);
  return transfer;
}

function noteRead(
  reads: Map<string, ContextRead>,
  event: Extract<BuildEvent, { kind: 'read' }>,
  now: number,
): void {
  const { context, done, size, duration } = event;
  const read = reads.get(context) ?? { transfer: new Transfer(now - duration), soFar: event };
  read.soFar = event;
  read.transfer.note(context, done, size, now);
  reads.set(context, read);
}

function runningStep(step: StepInfo, why: string, now: number): RunningStep {
  const lines: string[] = [];
  let copied: FilesSoFar | undefined;
  const splitter = new LineSplitter((line) => {
    if (line.trim() === '') return;
    lines.push(line);
    if (lines.length > TAIL) lines.shift();
  });
  return {
    step,
    begunAt: now,
    why,
    tail: () => {
      if (copied !== undefined) return [filesText(copied)];
      const last = splitter.unfinished;
      return last.trim() === '' ? lines : [...lines.slice(1 - TAIL), last];
    },
    write: (data) => splitter.push(data),
    copy: (soFar) => {
      copied = soFar;
    },
  };
}
