import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseDockerfile } from './parse.ts';
import { describeFile } from './testing/describe-file.ts';

/*
 * fixtures/parse: NAME.Dockerfile, and NAME.txt with what must be read of it. Docker 28.5 was asked what it makes of
 * each. After adding a case, `vitest run -u` writes the text; look at it before it is committed.
 */
const FOLDER = fileURLToPath(new URL('../../../fixtures/parse/', import.meta.url));
const CASES = readdirSync(FOLDER).flatMap((name) => /^(.*)\.Dockerfile$/.exec(name)?.[1] ?? []);

test.each(CASES)('%s', async (name) => {
  const text = readFileSync(`${FOLDER}${name}.Dockerfile`, 'utf8');
  await expect(describeFile(parseDockerfile(text))).toMatchFileSnapshot(`${FOLDER}${name}.txt`);
});
