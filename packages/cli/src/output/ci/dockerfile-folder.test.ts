import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { stepInfo } from '../testing/events.ts';
import { ciFormat } from './ci-format.ts';
import { dockerfileFolder } from './dockerfile-folder.ts';

const cwd = tmpdir();
const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: cwd };
const WITH_FILE = '::error file=Dockerfile,line=3,endLine=3,title=step-failed::m\n';
const WITHOUT = '::error title=step-failed::m\n';

test.each([
  ['a Dockerfile of the context', { context: '.' }, WITH_FILE],
  ['one that was named', { context: '.', dockerfile: join(cwd, 'Dockerfile') }, WITH_FILE],
  ['one from the standard input', { context: '.', dockerfileText: 'FROM scratch\n' }, WITHOUT],
  ['one from a URL', { context: '.', dockerfile: 'https://example.com/Dockerfile' }, WITHOUT],
  ['an archive', { context: import.meta.filename }, WITHOUT],
  ['a context from elsewhere', { context: 'https://example.com/app.git' }, WITHOUT],
  ['a context from the standard input', { context: Readable.from([]) }, WITHOUT],
])('an error in %s', (_, request, annotation) => {
  const format = ciFormat({ env, cwd }, dockerfileFolder(request, cwd));
  const { place } = stepInfo(3);
  expect(format?.annotation('error', { code: 'step-failed', message: 'm', place })).toBe(annotation);
});
