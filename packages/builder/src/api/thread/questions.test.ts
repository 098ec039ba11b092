import { expect, test } from 'vitest';
import { Questions } from './questions.ts';

test('a job that was ended asks nothing more: its caller may never answer', async () => {
  const asked: number[] = [];
  const questions = new Questions((question) => void asked.push(question));
  const waiting = questions.secret('one');
  const reason = new Error('ended');
  questions.giveUp(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(questions.secret('two')).rejects.toBe(reason);
  await expect(questions.context()).rejects.toBe(reason);
  expect(asked).toEqual([1]);
});
