import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { CaissonError, watch, type WatchEvent } from '../../packages/builder/src/api/index.ts';
import { test } from '../rig/api-world.ts';
import { checkStore } from '../rig/check-store.ts';
import { eventually, mountsBelow, processesWith } from '../rig/leftovers.ts';
import { lacks } from '../rig/tools.ts';

const APP = { Dockerfile: 'FROM busybox\nCOPY src /src\nRUN cat /src/a > /a\n', 'src/a': 'one\n' };

async function errorOf(events: AsyncIterable<unknown>): Promise<CaissonError> {
  try {
    for await (const _event of events);
  } catch (error) {
    if (error instanceof CaissonError) return error;
    throw error;
  }
  throw new Error('it ended well');
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('watch() of Node', () => {
  test('tells of each image, and leaves nothing when its iterator stops', async ({ api }) => {
    api.write(APP);
    const built: Extract<WatchEvent, { kind: 'built' }>[] = [];
    const others: string[] = [];
    for await (const event of watch({ ...api.common, context: '.', tags: 'app' })) {
      if (event.kind === 'waiting' && built.length === 1) {
        writeFileSync(join(api.context, 'other'), 'nothing takes it\n');
        writeFileSync(join(api.context, 'src/a'), 'two\n');
      }
      if (event.kind === 'changed') others.push(...(event.paths ?? []));
      if (event.kind !== 'built') continue;
      built.push(event);
      if (built.length === 2) break;
    }
    const [first, second] = built;
    expect(others).toStrictEqual([join(api.context, 'src/a')]);
    expect(second?.image.id).not.toBe(first?.image.id);
    expect(second?.image).toMatchObject({
      names: ['docker.io/library/app:latest'],
      steps: [
        { id: 1, outcome: 'ran', reason: { kind: 'changed' } },
        { id: 2, outcome: 'ran', place: { path: 'Dockerfile' } },
      ],
    });
    expect(await eventually(() => processesWith(api.store).length === 0)).toBe(true);
    expect(mountsBelow(api.store)).toStrictEqual([]);
    expect(checkStore(api.store)).toStrictEqual([]);
  });

  test('ends what an edit makes useless at once, beside a step that goes on', async ({ api }) => {
    api.write({
      Dockerfile: `FROM busybox AS long
RUN sleep 6
FROM busybox
COPY src /src
RUN sleep $(cat /src/a)
COPY --from=long /bin/true /
`,
      'src/a': '60\n',
    });
    const seen: string[] = [];
    const begun = new Set<string>();
    for await (const event of watch({ ...api.common, context: '.' })) {
      if (event.kind === 'step-started') {
        begun.add(event.step.text);
        if (begun.size === 3) api.write({ 'src/a': '0\n' });
      }
      if (event.kind === 'step-done' || event.kind === 'step-cancelled')
        seen.push(`${event.kind} ${event.step.text}`);
      if (event.kind === 'built') break;
    }
    expect(seen).toStrictEqual([
      'step-done COPY src /src',
      'step-cancelled RUN sleep $(cat /src/a)',
      'step-done RUN sleep 6',
      'step-done COPY src /src',
      'step-done RUN sleep $(cat /src/a)',
      'step-done COPY --from=long /bin/true /',
    ]);
  });

  test('throws where there is nothing to watch', async ({ api }) => {
    const error = await errorOf(watch({ ...api.common, context: 'nowhere' }));
    expect(error.code).toBe('invalid-request');
    expect(error.message).toContain('there is no folder');
  });

  test('goes on after a build that failed, and ends with its signal', async ({ api }) => {
    api.write({ ...APP, Dockerfile: 'FROM busybox\nCOPY src /src\nRUN test -e /src/b\n' });
    const abort = new AbortController();
    const kinds: string[] = [];
    for await (const event of watch({ ...api.common, context: '.', signal: abort.signal })) {
      kinds.push(event.kind);
      if (event.kind === 'not-built') {
        expect(event.failures).toMatchObject([{ code: 'step-failed', exitCode: 1 }]);
        writeFileSync(join(api.context, 'src/b'), '');
      }
      if (event.kind === 'built') abort.abort();
    }
    expect(kinds.filter((kind) => kind === 'not-built' || kind === 'built')).toStrictEqual([
      'not-built',
      'built',
    ]);
    expect(await eventually(() => processesWith(api.store).length === 0)).toBe(true);
  });

  test('can be closed at once, and before', async ({ api }) => {
    api.write(APP);
    const open = watch({ ...api.common, context: '.' });
    await open.close();
    const signal = AbortSignal.abort();
    for await (const event of watch({ ...api.common, context: '.', signal })) throw new Error(event.kind);
    expect(await eventually(() => processesWith(api.store).length === 0)).toBe(true);
  });

  test('needs a folder', async ({ api }) => {
    const inMemory = await errorOf(watch({ ...api.common, context: APP }));
    expect(inMemory.message).toBe(
      'options.context lies in no folder: nothing of it can change\nexpected: the path of a folder',
    );
    const wrong = await errorOf(watch({ ...api.common, context: '.', poll: 0 }));
    expect(wrong.message).toBe('options.poll is 0\nexpected: a number of seconds');
  });
});
