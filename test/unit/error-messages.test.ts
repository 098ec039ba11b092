import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { NO_RULES } from '../../packages/builder/src/context/ignore-rules.ts';
import { LocalContext } from '../../packages/builder/src/context/local-context.ts';
import { NO_MEMORY } from '../../packages/builder/src/context/stat-cache.ts';
import { BuildError, buildError, type Failure } from '../../packages/builder/src/failure.ts';
import { planBuild } from '../../packages/builder/src/plan/plan-build.ts';
import { EMPTY_STATE } from '../../packages/builder/src/state.ts';
import { buildFailureText, warningText } from '../../packages/cli/src/failure-text.ts';

/*
 * fixtures/errors: a folder for each thing that can be wrong with a Dockerfile, named after its code, and after what is
 * wrong where a code has several. message.txt is all that a build says of it, message.ansi.txt the same in colour.
 * `request.json` may hold a target and build args. `vitest run -u` writes the messages of a new case: read them.
 */
const FOLDER = fileURLToPath(new URL('../../fixtures/errors/', import.meta.url));
const Request = z.object({
  target: z.optional(z.string()),
  buildArgs: z.optional(z.record(z.string(), z.string())),
});
const PLATFORM = { os: 'linux', architecture: 'amd64' };

test.each(readdirSync(FOLDER))('%s', async (name) => {
  const folder = join(FOLDER, name);
  const { failures, warnings } = await problemsOf(folder);
  expect(failures.map(({ code }) => code)).toContain(name.split('_')[0]);
  const text = (hasColor: boolean): string =>
    [
      ...warnings.map((warning) => warningText(warning, hasColor)),
      ...failures.map((failure) => buildFailureText(failure, hasColor)),
    ].join('');
  await expect(text(false)).toMatchFileSnapshot(join(folder, 'message.txt'));
  await expect(text(true)).toMatchFileSnapshot(join(folder, 'message.ansi.txt'));
});

async function problemsOf(
  folder: string,
): Promise<{ failures: readonly Failure[]; warnings: readonly Parameters<typeof warningText>[0][] }> {
  const warnings: Parameters<typeof warningText>[0][] = [];
  const path = join(folder, 'request.json');
  const request = Request.parse(existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {});
  try {
    await planBuild('Dockerfile', readFileSync(join(folder, 'Dockerfile'), 'utf8'), {
      target: request.target,
      buildArgs: new Map(Object.entries(request.buildArgs ?? {})),
      network: 'host',
      allow: new Set(),
      context: new LocalContext('the build context', '/nowhere', NO_RULES, NO_MEMORY),
      openContext: () => Promise.resolve(undefined),
      platforms: [{ target: PLATFORM, build: PLATFORM }],
      resolveImage: (image, _platform, place) => {
        if (image !== 'busybox') throw buildError('no-such-image', `there is no image ${image}`, { place });
        const config = { ...PLATFORM, rootfs: { type: 'layers' as const, diff_ids: [] } };
        return Promise.resolve({ name: image, config, state: EMPTY_STATE });
      },
      emit: (event) => {
        if (event.kind === 'warning') warnings.push(event);
      },
    });
  } catch (error) {
    if (error instanceof BuildError) return { failures: error.failures, warnings };
    throw error;
  }
  throw new Error('it was planned');
}
