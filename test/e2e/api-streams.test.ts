import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { extract } from 'tar-stream';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { run, type ProgramInput, type Run, type RunOptions } from '../../packages/builder/src/api/index.ts';
import { test, type ApiWorld } from '../rig/api-world.ts';
import { checkStore } from '../rig/check-store.ts';
import { eventually, processesWith } from '../rig/leftovers.ts';
import { lacks } from '../rig/tools.ts';

/** An image of more than may wait on the way. */
const LARGE = { Dockerfile: 'FROM busybox\nRUN head -c 12000000 /dev/urandom > /large\n' };

/** The names and sizes of what is in a tar. */
async function listed(bytes: Readable): Promise<Record<string, number>> {
  const files: Record<string, number> = {};
  const unpack = bytes.pipe(extract());
  for await (const entry of unpack) {
    files[entry.header.name] = entry.header.size ?? 0;
    entry.resume();
  }
  return files;
}

/** Runs a shell line with the image of busybox. */
function sh(api: ApiWorld, script: string, options: Partial<RunOptions> = {}): Run {
  return run({ ...api.common, image: 'busybox', command: ['sh', '-c', script], ...options });
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('an output that is a stream', () => {
  test('has the bytes that a file would have', async ({ api }) => {
    const node = new PassThrough();
    const web = new TransformStream<Uint8Array, Uint8Array>();
    let files: Record<string, number> = {};
    const bytes = Promise.all([buffer(node), buffer(web.readable)]);
    const image = await api.buildImage({
      context: LARGE,
      tags: 'app',
      outputs: [
        { type: 'oci', dest: node },
        { type: 'oci', dest: 'oci.tar' },
        { type: 'docker', dest: web.writable },
        { type: 'docker', dest: 'docker.tar' },
        {
          type: 'tar',
          dest: async (stream) => {
            files = await listed(stream);
          },
        },
      ],
    });
    const [oci, docker] = await bytes;
    expect(oci.equals(readFileSync(join(api.context, 'oci.tar')))).toBe(true);
    expect(docker.equals(readFileSync(join(api.context, 'docker.tar')))).toBe(true);
    expect(files['large']).toBe(12_000_000);
    expect(image.outputs).toStrictEqual([
      { type: 'oci' },
      { type: 'oci', dest: join(api.context, 'oci.tar') },
      { type: 'docker' },
      { type: 'docker', dest: join(api.context, 'docker.tar') },
      { type: 'tar' },
    ]);
  });

  test('that nobody reads to its end fails the build, and the store is whole', async ({ api }) => {
    const stream = new PassThrough();
    stream.once('data', () => stream.destroy());
    const reason = new Error('enough');
    const fails: readonly (readonly [Writable | (() => Promise<void>), object])[] = [
      [
        stream,
        {
          code: 'output',
          message: 'options.outputs[0] cannot be written: its stream was closed before it had all of it',
        },
      ],
      [
        () => Promise.reject(reason),
        {
          code: 'output',
          message: 'options.outputs[0] cannot be written: enough',
          cause: reason,
        },
      ],
    ];
    for (const [dest, error] of fails) {
      await expect(
        api.buildImage({ context: LARGE, outputs: [{ type: 'oci', dest }] }),
      ).rejects.toMatchObject(error);
    }
    expect(checkStore(api.store)).toStrictEqual([]);
    const image = await api.buildImage({ context: LARGE });
    expect(image.steps.map(({ outcome }) => outcome)).toStrictEqual(['cached']);
  });

  test('that takes nothing is waited for, until a signal ends the build', async ({ api }) => {
    await api.buildImage({ context: LARGE });
    const abort = new AbortController();
    const reason = new Error('enough');
    const stuck = new Writable({
      write() {
        abort.abort(reason);
      },
    });
    const ended = finished(stuck);
    const work = api.buildImage({
      context: LARGE,
      outputs: [{ type: 'oci', dest: stuck }],
      signal: abort.signal,
    });
    await Promise.all([
      expect(work).rejects.toMatchObject({ code: 'cancelled', cause: reason }),
      expect(ended).rejects.toMatchObject({ code: 'cancelled' }),
    ]);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
    expect(checkStore(api.store)).toStrictEqual([]);
  });

  test('is destroyed with the error of a build that fails before', async ({ api }) => {
    const stream = new PassThrough();
    const ended = finished(stream);
    const work = api.buildImage({
      context: { Dockerfile: 'FROM busybox\nRUN exit 3\n' },
      outputs: [{ type: 'oci', dest: stream }],
    });
    await Promise.all([
      expect(work).rejects.toMatchObject({ code: 'step-failed' }),
      expect(ended).rejects.toMatchObject({ code: 'step-failed' }),
    ]);
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a program that is run', () => {
  test.for<[string, () => ProgramInput]>([
    ['a text', () => 'one\ntwo\n'],
    ['bytes', () => new TextEncoder().encode('one\ntwo\n')],
    ['a stream of Node', () => Readable.from(['one\n', Buffer.from('two\n')])],
    ['a stream of the web', () => new Blob(['one\n', 'two\n']).stream()],
    [
      'an iterable',
      async function* () {
        yield await Promise.resolve('one\n');
        yield 'two\n';
      },
    ],
  ])('reads %s', async ([, input], { api }) => {
    const said: string[] = [];
    const work = sh(api, 'cat; wc -c < /dev/null; test -p /dev/stdin && echo pipe', { input: input() });
    for await (const { data } of work) said.push(Buffer.from(data).toString());
    expect(said.join('')).toBe('one\ntwo\n0\npipe\n');
    expect(await work).toStrictEqual({ exitCode: 0 });
  });

  test('reads as much as it wants, and the rest stays', async ({ api }) => {
    let given = 0;
    const input = new Readable({
      read() {
        given++;
        this.push(Buffer.alloc(1 << 16, 'a\n'));
      },
    });
    const stdout = new PassThrough();
    const [said, { exitCode }] = await Promise.all([
      buffer(stdout),
      sh(api, 'head -n 1; exit 4', { input, stdout }),
    ]);
    expect(said.toString()).toBe('a\n');
    expect(exitCode).toBe(4);
    expect(input.destroyed).toBe(false);
    const then = given;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    expect(given).toBe(then);
    expect(given).toBeLessThan(100);
  });

  test('reads the standard input of a process, which ends although that stays open', async ({ api }) => {
    const code = `
      import { run } from ${JSON.stringify(join(import.meta.dirname, '../../packages/builder/src/api/index.ts'))};
      const { exitCode } = await run({
        ...${JSON.stringify(api.common)},
        image: 'busybox',
        command: ['head', '-n', '1'],
        input: process.stdin,
        stdout: process.stdout,
      });
      process.stdout.write(String(exitCode));
    `;
    const program = execa(process.execPath, ['--input-type=module', '--eval', code], { timeout: 60_000 });
    program.stdin.write('first\nsecond\n');
    expect((await program).stdout).toBe('first\n0');
  });

  test('writes to streams, and waits for them', async ({ api }) => {
    let isSlow = true;
    let taken = 0;
    const waiting: (() => void)[] = [];
    const slow = new Writable({
      write(chunk: Uint8Array, _encoding, done) {
        taken += chunk.length;
        if (isSlow) waiting.push(done);
        else done();
      },
    });
    const lines: string[] = [];
    // More than iterators may leave waiting: it can only go well if the program waits.
    const work = sh(api, 'head -c 30000000 /dev/zero; echo done >&2', {
      stdout: slow,
      stderr: async (stream) => {
        for await (const chunk of stream) lines.push(String(chunk));
      },
    });
    const seen = (async () => {
      const outputs: unknown[] = [];
      for await (const output of work) outputs.push(output);
      return outputs;
    })();
    await new Promise((resolve) => {
      setTimeout(resolve, 1000);
    });
    expect(taken).toBeLessThan(1_000_000);
    expect(lines).toStrictEqual([]);
    isSlow = false;
    for (const done of waiting) done();
    expect(await work).toStrictEqual({ exitCode: 0 });
    expect([taken, lines.join('')]).toStrictEqual([30_000_000, 'done\n']);
    expect(await seen).toStrictEqual([]);
  });

  test('is ended when its output cannot be taken, or its input cannot be read', async ({ api }) => {
    const gone = new PassThrough();
    gone.once('data', () => gone.destroy());
    await expect(sh(api, 'yes', { stdout: gone })).rejects.toMatchObject({
      code: 'output',
      message: 'options.stdout cannot be written: its stream was closed before it had all of it',
    });
    const reason = new Error('no more');
    const broken = Readable.from(
      (async function* () {
        yield await Promise.resolve('a\n');
        throw reason;
      })(),
    );
    await expect(sh(api, 'cat; sleep 1000', { input: broken })).rejects.toMatchObject({
      code: 'invalid-request',
      message: 'options.input cannot be read: no more',
      cause: reason,
    });
    await expect(sh(api, 'cat', { input: Readable.from([5]) })).rejects.toMatchObject({
      message: 'options.input cannot be read: it gave a number, neither a text nor bytes',
    });
    // @ts-expect-error -- as of a caller without types
    await expect(sh(api, 'cat', { stdout: 'inherit' })).rejects.toMatchObject({
      message:
        'options.stdout is "inherit"\nexpected: a Writable, a WritableStream, or a function of a Readable',
    });
  });

  test('is ended by a signal, whatever it waits for', async ({ api }) => {
    const before = processesWith(api.store);
    for (const options of [
      { input: new Readable({ read() {} }) },
      { stdout: new Writable({ write() {} }) },
    ] satisfies Partial<RunOptions>[]) {
      const abort = new AbortController();
      const work = sh(api, 'echo up >&2; cat; yes', { ...options, signal: abort.signal });
      const ending = (async () => {
        for await (const _output of work) abort.abort();
      })();
      await expect(ending).rejects.toMatchObject({ code: 'cancelled', message: 'the run was cancelled' });
      expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
    }
    expect(await eventually(() => isDeepStrictEqual(processesWith(api.store), before))).toBe(true);
  });
});
