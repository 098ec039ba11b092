import { expect, test } from 'vitest';
import { EnvList } from './env-list.ts';

test('a variable stays where it came first, however often an image has it', () => {
  const env = new EnvList(['A=1', 'B=2', 'A=3', 'C']);
  env.set('A', '4');
  env.set('D', '=');
  env.set('C', '5');
  expect(env.entries).toEqual(['A=4', 'B=2', 'A=4', 'C=5', 'D==']);
});
