import type { BuildEvent, MissReason, StepInfo } from '@caisson/builder';
import { digestOf } from '@caisson/oci';
import { SourceText } from '@caisson/parser';

/** A step of a Dockerfile that is not there. */
export function stepInfo(id: number, text = `RUN ${id}`, name = `build ${id}/9`): StepInfo {
  const source = new SourceText('FROM scratch\n');
  const start = { line: id, column: 1, offset: 0 };
  const place = { path: 'Dockerfile', source, range: { start, end: start } };
  return { id, name, text, place };
}

const key = digestOf('key');

/** A step begins to run. */
export function started(step: StepInfo, reason: MissReason = { kind: 'no-record' }): BuildEvent {
  return { kind: 'step-started', step, key, record: { op: 'run', version: 1 }, reason };
}

/** The cache has a step. */
export function cached(step: StepInfo): BuildEvent {
  return { kind: 'step-cached', step, key };
}

/** A step writes something. */
export function wrote(step: StepInfo, text: string): BuildEvent {
  return { kind: 'step-output', step, stream: 'stdout', data: Buffer.from(text) };
}

/** A step has run. */
export function done(step: StepInfo, duration = 1000, isSame = false): BuildEvent {
  return { kind: 'step-done', step, duration, isSame };
}
