import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { RawJsonProgress } from './raw-json-progress.ts';
import { cached, done, started, stepInfo, wrote } from './testing/events.ts';
import { Written } from './testing/written.ts';

test('each event is one JSON object in a line, with a time', () => {
  const written = new Written();
  const progress = new RawJsonProgress(written);
  const step = stepInfo(2, 'RUN a\nb');
  progress.emit({ kind: 'planned', target: 'build', steps: [stepInfo(1), step] });
  progress.emit(cached(stepInfo(1)));
  progress.emit(started(step, { kind: 'evicted' }));
  progress.emit(wrote(step, '\u001b[1mé\n'));
  progress.emit(done(step, 12.7));
  progress.emit({ kind: 'warning', rule: 'StageNameCasing', message: 'm', place: step.place });
  progress.emit({ kind: 'failed', failures: [{ code: 'step-failed', message: 'm', place: step.place }] });
  progress.finish('failed');
  const values = written.text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { time, ...rest } = z.looseObject({ time: z.string() }).parse(JSON.parse(line));
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      return rest;
    });
  const one = { id: 1, name: 'build 1/9', text: 'RUN 1', place: { path: 'Dockerfile', line: 1 } };
  const two = { id: 2, name: 'build 2/9', text: 'RUN a\nb', place: { path: 'Dockerfile', line: 2 } };
  const key: unknown = expect.stringMatching(/^sha256:/);
  const place = { path: 'Dockerfile', line: 2, endLine: 2 };
  expect(values).toEqual([
    { kind: 'planned', target: 'build', steps: [one, two] },
    { kind: 'step-cached', step: one, key },
    { kind: 'step-started', step: two, key, reason: { kind: 'evicted' } },
    {
      kind: 'step-output',
      step: two,
      stream: 'stdout',
      data: Buffer.from('\u001b[1mé\n').toString('base64'),
    },
    { kind: 'step-done', step: two, duration: 13, isSame: false },
    { kind: 'warning', rule: 'StageNameCasing', message: 'm', place },
    { kind: 'failed', failures: [{ code: 'step-failed', message: 'm', place }] },
    { kind: 'ended', result: 'failed', duration: expect.any(Number) as unknown },
  ]);
});
