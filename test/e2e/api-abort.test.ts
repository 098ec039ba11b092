import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, inject } from 'vitest';
import {
  CaissonError,
  openStore,
  run,
  watch,
  type Build,
  type BuildEvent,
  type BuildOptions,
  type CallOptions,
} from '../../packages/builder/src/api/index.ts';
import { test, type ApiWorld } from '../rig/api-world.ts';
import { checkStore } from '../rig/check-store.ts';
import { eventually, mountsBelow, processesWith } from '../rig/leftovers.ts';
import { stateOfProcess } from '../rig/process-state.ts';
import { lacks } from '../rig/tools.ts';

/*
 * A signal ends whatever is going on, and nothing of it is left. How long that takes is not measured here: the machine may
 * be busy. That it ends at all says that what goes on looks at the signal: each of these would take far longer.
 */

/** What must be the same before and after. */
function held(api: ApiWorld): object {
  return {
    ...stateOfProcess(),
    mounts: mountsBelow(api.store),
    processes: processesWith(api.store).length,
    tmp: readdirSync(join(api.store, 'tmp')),
    leases: readdirSync(join(api.store, 'builds')),
  };
}

/** Whether all is as it was, once trees that are not needed are gone: they are removed beside the rest. */
async function isAsBefore(api: ApiWorld, before: object): Promise<boolean> {
  return eventually(() => isDeepStrictEqual(held(api), before));
}

/** What is held when all is at rest. */
async function heldAtRest(api: ApiWorld): Promise<object> {
  await eventually(() => readdirSync(join(api.store, 'tmp')).length === 0);
  return held(api);
}

/** Does something that is ended when an event comes. */
async function endedAt(
  api: ApiWorld,
  kind: BuildEvent['kind'],
  options: BuildOptions,
): Promise<{ readonly failure: unknown; readonly listeners: number }> {
  const abort = new AbortController();
  const work = api.buildImage({ ...options, signal: abort.signal });
  try {
    for await (const event of work) if (event.kind === kind) abort.abort();
  } catch (failure) {
    return { failure, listeners: getEventListeners(abort.signal, 'abort').length };
  }
  throw new Error('it worked');
}

const CANCELLED = { failure: { code: 'cancelled', message: 'the build was cancelled' }, listeners: 0 };

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('the end of the thread', () => {
  test('rejects what was going on, and leaves nothing; the next call has another', async ({ api }) => {
    const threads: Worker[] = [];
    const note = (message: unknown): void => {
      if (typeof message !== 'object' || message === null || !('worker' in message)) return;
      if (message.worker instanceof Worker) threads.push(message.worker);
    };
    subscribe('worker_threads', note);
    try {
      const files = { Dockerfile: 'FROM busybox\nRUN sleep 97532\n' };
      await expect(api.buildImage({ context: files, target: 'none' })).rejects.toThrow();
      const before = await heldAtRest(api);
      const build = async (): Promise<void> => {
        for await (const { kind } of api.buildImage({ context: files })) {
          if (kind !== 'step-started') continue;
          // Node does not close a file that is just being opened.
          await eventually(() => processesWith('97532').some((line) => /\d sleep/.test(line)));
          await Promise.all(threads.map((thread) => thread.terminate()));
        }
      };
      await expect(build()).rejects.toMatchObject({
        name: 'CaissonError',
        code: 'thread-ended',
        message: 'the thread that works for this process ended',
      });
      expect(await eventually(() => processesWith('97532').length === 0)).toBe(true);
      await api.buildImage({ context: { Dockerfile: 'FROM busybox\nRUN true\n' } });
      await isAsBefore(api, before);
      expect(held(api)).toEqual(before);
      expect(checkStore(api.store)).toStrictEqual([]);
    } finally {
      unsubscribe('worker_threads', note);
    }
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a signal', () => {
  test('ends a COPY of many files: while they are read, and while they are copied', async ({ api }) => {
    for (let folder = 0; folder < 200; folder++) {
      mkdirSync(join(api.context, `folder-${folder}`));
      for (let file = 0; file < 40; file++)
        writeFileSync(join(api.context, `folder-${folder}/${file}`), `${folder} ${file}\n`);
    }
    const dockerfileText = 'FROM busybox\nCOPY . /files\nRUN true\n';
    await api.buildImage({ context: { Dockerfile: 'FROM busybox\nRUN true\n' } });
    const before = await heldAtRest(api);
    for (const kind of ['planned', 'step-started'] as const) {
      expect(await endedAt(api, kind, { context: '.', dockerfileText })).toMatchObject(CANCELLED);
      expect(await isAsBefore(api, before)).toBe(true);
    }
    expect(checkStore(api.store)).toStrictEqual([]);
    await api.buildImage({ context: '.', dockerfileText });
  });

  test('ends the copying of a large file in the middle of it', async ({ api }) => {
    writeFileSync(join(api.context, 'large'), '');
    truncateSync(join(api.context, 'large'), 3 * 2 ** 30);
    const abort = new AbortController();
    const work = api.buildImage({
      context: '.',
      dockerfileText: 'FROM scratch\nCOPY large /\n',
      signal: abort.signal,
    });
    const at: Partial<Record<string, number>> = {};
    const build = async (): Promise<void> => {
      for await (const { kind } of work) {
        at[kind] = performance.now();
        if (kind === 'step-started') setTimeout(() => abort.abort(), 100);
      }
    };
    await expect(build()).rejects.toMatchObject({ code: 'cancelled' });
    // To hash it for the key took as long as to copy it would, or less.
    const { planned = 0, 'step-started': started = 0 } = at;
    expect(performance.now() - started).toBeLessThan((started - planned) / 2);
  });

  test('ends the reading of a tar that never ends', async ({ api }) => {
    await api.buildImage({ context: { Dockerfile: 'FROM busybox\n' } });
    const before = await heldAtRest(api);
    const abort = new AbortController();
    let given = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        given++;
        if (given === 50) abort.abort();
        controller.enqueue(given === 1 ? headerOfHugeFile() : new Uint8Array(1 << 16));
      },
    });
    await expect(api.buildImage({ context: endless, signal: abort.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    const then = given;
    expect(await isAsBefore(api, before)).toBe(true);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
    expect(given - then).toBeLessThan(2);
  });

  test('ends a build wherever it is, with all that it asks and writes', async ({ api }) => {
    const name = `${inject('registry')}/abort-${process.pid}:1`;
    const begin = (signal?: AbortSignal): Build => {
      const taken = new PassThrough();
      taken.on('error', () => {}).resume();
      return api.buildImage({
        context: (async function* () {
          yield await Promise.resolve({
            path: 'Dockerfile',
            content:
              'FROM busybox\nCOPY a /a\nRUN --mount=type=secret,id=s cat /run/secrets/s\nRUN echo b > /b\n',
          });
          yield { path: 'a', content: new Uint8Array(500_000) };
        })(),
        secrets: { s: () => Promise.resolve('s\n') },
        noCache: true,
        tags: name,
        push: true,
        outputs: [
          { type: 'oci', dest: taken },
          { type: 'tar', dest: async (stream) => void (await buffer(stream)) },
        ],
        signal,
      });
    };
    const events: BuildEvent['kind'][] = [];
    for await (const { kind } of begin()) if (kind !== 'lost') events.push(kind);
    expect(new Set(events)).toContain('output');
    expect(new Set(events)).toContain('pushed');
    const before = await heldAtRest(api);
    // Before the first, and at some of them.
    const step = Math.ceil(events.length / 10);
    for (let at = 0; at < events.length; at += step) {
      const abort = new AbortController();
      const work = begin(abort.signal);
      let count = 0;
      if (at === 0) abort.abort();
      const ending = (async () => {
        for await (const _event of work) if (++count === at) abort.abort();
      })();
      const ended = await ending.then(
        () => 'built',
        (error: unknown) => (error instanceof CaissonError ? error.code : error),
      );
      // What had ended by the time that the thread heard of it is built.
      if (ended !== 'built' || at < events.indexOf('output')) expect([at, ended]).toEqual([at, 'cancelled']);
      expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
    }
    expect(await isAsBefore(api, before)).toBe(true);
    expect(checkStore(api.store)).toStrictEqual([]);
  });

  test('ends what a store does, and the store is whole', async ({ api }) => {
    const context: Record<string, string> = { Dockerfile: 'FROM busybox\nCOPY . /files\nRUN true\n' };
    for (let file = 0; file < 3000; file++) context[`folder-${file % 30}/${file}`] = `${file}\n`;
    await api.buildImage({ context, tags: 'app', forms: 'trees' });
    const store = await openStore({ root: api.store });
    await store.verify();
    const before = await heldAtRest(api);
    const does: readonly (readonly [string, (call: CallOptions) => Promise<unknown>])[] = [
      ['verifying the store', (call) => store.verify(call)],
      ['pruning the store', (call) => store.prune(call)],
      ['measuring the store', (call) => store.usage(call)],
    ];
    for (const [title, work] of does) {
      const abort = new AbortController();
      const working = work({ signal: abort.signal });
      abort.abort(new Error('enough'));
      await expect(working).rejects.toMatchObject({
        code: 'cancelled',
        message: `${title} was cancelled`,
        cause: { message: 'enough' },
      });
      expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
      expect(await isAsBefore(api, before)).toBe(true);
    }
    const abort = new AbortController();
    const ending = await openStore({ root: api.store, signal: abort.signal });
    abort.abort();
    await expect(ending.images({ signal: new AbortController().signal })).rejects.toMatchObject({
      message: 'listing the images was cancelled',
    });
    expect(await store.verify()).toStrictEqual({ problems: [], unknown: 0 });
    expect((await store.images()).length).toBe(1);
    expect(
      (await api.buildImage({ context, tags: 'app' })).steps.map(({ outcome }) => outcome),
    ).toStrictEqual(['cached', 'cached']);
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('await using', () => {
  test('ends a build, a run and a watch with its block, and nothing of them is left', async ({ api }) => {
    const files = { Dockerfile: 'FROM busybox\nRUN sleep 86421\n' };
    writeFileSync(join(api.context, 'Dockerfile'), files.Dockerfile);
    await api.buildImage({ context: { Dockerfile: 'FROM busybox\nRUN true\n' }, tags: 'app' });
    const before = await heldAtRest(api);
    const begin = [
      () => api.buildImage({ context: files }),
      () => run({ ...api.common, image: 'app', command: ['sleep', '86421'] }),
      () => watch({ ...api.common, context: '.' }),
    ];
    for (const work of begin) {
      {
        await using _going = work();
        expect(await eventually(() => processesWith('sleep 86421').length > 0)).toBe(true);
      }
      expect(processesWith('86421')).toEqual([]);
      expect(await isAsBefore(api, before)).toBe(true);
    }
  });

  test('ends what a store does, and it does nothing more', async ({ api }) => {
    await api.buildImage({ context: { Dockerfile: 'FROM busybox\nRUN true\n' }, tags: 'app' });
    let verifying: Promise<unknown>;
    let left: Awaited<ReturnType<typeof openStore>>;
    {
      await using store = await openStore({ root: api.store });
      left = store;
      verifying = store.verify();
      verifying.catch(() => {}); // looked at below
    }
    await expect(verifying).rejects.toMatchObject({
      code: 'cancelled',
      message: 'verifying the store was cancelled',
    });
    await expect(left.images()).rejects.toMatchObject({ code: 'cancelled' });
    expect(checkStore(api.store)).toStrictEqual([]);
  });
});

/** Of a tar: a file of eight GiB. */
function headerOfHugeFile(): Uint8Array {
  const header = Buffer.alloc(512);
  header.write('huge', 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write('77777777777\0', 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
