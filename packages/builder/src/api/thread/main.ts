import { parentPort } from 'node:worker_threads';
import { failuresOf } from '../../failure-of.ts';
import { callOptionsAsInNode } from '../../option-words.ts';
import { InFlight } from '../../steps/in-flight.ts';
import { doJob } from './do-job.ts';
import { isToThread, type FromThread, type Job } from './protocol.ts';
import { Questions } from './questions.ts';
import { SourceNumbers } from './source-references.ts';
import type { WatchEvent } from '../watch-event.ts';

/*
 * The thread in which all the work of a process is done, so that the caller's thread is never blocked. It does several jobs
 * at once, and ends when its caller says so.
 */

/** A job that goes on. */
interface Begun {
  readonly abort: AbortController;
  readonly questions: Questions;
}

callOptionsAsInNode();

const begun = new Map<number, Begun>();
const inFlight = new InFlight();

parentPort?.on('message', (message: unknown) => {
  if (!isToThread(message)) return;
  switch (message.kind) {
    case 'begin':
      void begin(message.id, message.job);
      return;
    case 'abort': {
      const job = begun.get(message.id);
      job?.abort.abort();
      job?.questions.giveUp(job.abort.signal.reason);
      return;
    }
    case 'answer':
      begun.get(message.id)?.questions.answered(message.question, message.answer);
  }
});

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}

async function begin(id: number, job: Job): Promise<void> {
  const abort = new AbortController();
  const questions = new Questions((question, asked) => tell({ id, kind: 'question', question, asked }));
  begun.set(id, { abort, questions });
  const newSources = (): SourceNumbers =>
    new SourceNumbers((source, text) => tell({ id, kind: 'source', source, text }));
  let sources = newSources();
  try {
    const outcome = await doJob(job, {
      signal: abort.signal,
      questions,
      inFlight,
      emit: (event) => tell({ id, kind: 'event', event: sources.replaceIn(event) }),
      watchEvent: (event) => {
        tell({ id, kind: 'watch-event', event: sources.replaceIn(event) });
        // The next build reads the Dockerfile anew.
        if (endsBuild(event)) sources = newSources();
      },
      onOutput: (stream, data) => tell({ id, kind: 'output', stream, data }),
    });
    tell({ id, kind: 'done', outcome: sources.replaceIn(outcome) });
  } catch (error) {
    const failures = failuresOf(error);
    if (failures === undefined) tell({ id, kind: 'bug', error: portable(error) });
    else tell({ id, kind: 'failed', failures: sources.replaceIn(failures) });
  } finally {
    begun.delete(id);
  }
}

/** An error as it can travel: what it was caused by, or carries besides, may be what cannot. */
function portable(error: unknown): Error {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return Object.assign(new Error(message), stack === undefined ? {} : { stack });
}

function endsBuild({ kind }: WatchEvent): boolean {
  return kind === 'built' || kind === 'not-built';
}
