import { createServer, get } from 'node:http';
import { once } from 'node:events';
import { PassThrough, Writable, type Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { finished, pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import type { Destination } from '../build-options.ts';
import { Destinations } from './destinations.ts';

const OPTION = 'options.outputs[0]';
const CHUNK = 1 << 18;

/** Writes so many chunks to a destination. */
async function written(destination: Destination, chunks = 3): Promise<void> {
  const destinations = new Destinations(new Map([[OPTION, destination]]));
  try {
    for (let index = 0; index < chunks; index++) await destinations.put(OPTION, Buffer.alloc(CHUNK, index));
    await destinations.end(OPTION);
    destinations.close(undefined);
  } catch (error) {
    destinations.close(error instanceof Error ? error : undefined);
    throw error;
  }
}

/** Of 40 chunks: more than may wait anywhere. */
async function failed(destination: Destination): Promise<unknown> {
  return written(destination, 40).then(
    () => 'it worked',
    (error: unknown) => (error instanceof Error ? error.message : error),
  );
}

const ALL = Buffer.concat([0, 1, 2].map((byte) => Buffer.alloc(CHUNK, byte)));

describe('what takes bytes', () => {
  test('may be a stream of Node, which is ended', async () => {
    const stream = new PassThrough();
    const [bytes] = await Promise.all([buffer(stream), written(stream)]);
    expect(bytes.equals(ALL)).toBe(true);
    expect(stream.writableFinished).toBe(true);
  });

  test('may be a stream of the web, which is closed', async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const [bytes] = await Promise.all([buffer(readable), written(writable)]);
    expect(bytes.equals(ALL)).toBe(true);
  });

  test('may be a function, which is waited for', async () => {
    const taken: string[] = [];
    await written(async (stream) => {
      for await (const _chunk of stream) taken.push('chunk');
      await new Promise(setImmediate);
      taken.push('done');
    });
    expect(taken.at(-1)).toBe('done');
    let bytes: Promise<Buffer> | undefined;
    await written((stream) => {
      const pass = stream.pipe(new PassThrough());
      bytes = buffer(pass);
    });
    expect((await bytes)?.equals(ALL)).toBe(true);
  });

  test('may be a stream of tar-stream, which reads no further than the end of an archive', async () => {
    const unpack = extract();
    unpack.on('entry', (_header, stream, next) => {
      stream.resume();
      stream.on('end', next);
    });
    const destinations = new Destinations(new Map([[OPTION, unpack]]));
    await destinations.put(OPTION, new Uint8Array(1024));
    await expect(destinations.end(OPTION)).resolves.toBeUndefined();
    const reads = new Destinations(
      new Map([[OPTION, async (stream: Readable) => void (await once(stream, 'data'))]]),
    );
    await reads.put(OPTION, new Uint8Array(512));
    await reads.put(OPTION, new Uint8Array(1024));
    await expect(reads.end(OPTION)).resolves.toBeUndefined();
  });

  test('may be the answer of a server', async () => {
    const server = createServer((_request, response) => void written(response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const response = await new Promise<Readable>((resolve) => {
      get({ host: '127.0.0.1', port, agent: false }, resolve);
    });
    expect((await buffer(response)).equals(ALL)).toBe(true);
    server.close();
  });

  test('is not given more than it takes', async () => {
    let isSlow = true;
    let held = 0;
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Uint8Array, _encoding, done) {
        held += chunk.length;
        if (!isSlow) done();
      },
    });
    const destinations = new Destinations(new Map([[OPTION, slow]]));
    let put = 0;
    const putting = (async () => {
      for (; put < 40; put++) await destinations.put(OPTION, Buffer.alloc(CHUNK));
    })();
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(put).toBeLessThan(8);
    expect(held).toBe(CHUNK);
    isSlow = false;
    slow.destroy();
    await expect(putting).rejects.toThrow(
      `${OPTION} cannot be written: its stream was closed before it had all of it`,
    );
  });

  test.for<[string, () => Destination, string]>([
    [
      'a stream that is destroyed',
      () => {
        const stream = new PassThrough();
        stream.once('data', () => stream.destroy());
        return stream;
      },
      'its stream was closed before it had all of it',
    ],
    [
      'a stream that was destroyed before',
      () => new PassThrough().destroy(),
      'its stream was closed before it had all of it',
    ],
    [
      'a stream that was ended before',
      () => new PassThrough().end(),
      'its stream was closed before it had all of it',
    ],
    [
      'a stream that fails',
      () => new Writable({ write: (_chunk, _encoding, done) => done(new Error('disk full')) }),
      'disk full',
    ],
    [
      'a stream of the web that fails',
      () =>
        new WritableStream({
          write() {
            throw new Error('no more');
          },
        }),
      'no more',
    ],
    [
      'a function that throws',
      () => () => {
        throw new Error('not today');
      },
      'not today',
    ],
    [
      'a function that throws while it reads',
      () => async (stream: Readable) => {
        for await (const _chunk of stream) throw new Error('not this');
      },
      'not this',
    ],
    [
      'a function that stops reading',
      () => async (stream: Readable) => {
        for await (const _chunk of stream) break;
      },
      'its stream was closed before it had all of it',
    ],
    [
      'a function that closes its stream and never ends',
      () => (stream: Readable) =>
        new Promise(() => {
          stream.destroy();
        }),
      'its stream was closed before it had all of it',
    ],
    [
      'a function that ends too early',
      () => async () => {},
      'its function ended before it had read all of it',
    ],
    [
      'a function that does not wait, and closes its stream',
      () => (stream: Readable) => void stream.once('data', () => stream.destroy()),
      'its stream was closed before it had all of it',
    ],
    [
      'a stream that something else is piped to and that fails',
      () => async (stream: Readable) => {
        await pipeline(stream, new PassThrough().destroy());
      },
      'its stream was closed before it had all of it',
    ],
  ])('fails: %s', async ([, destination, why]) => {
    expect(await failed(destination())).toBe(`${OPTION} cannot be written: ${why}`);
  });

  test('is destroyed when not all of it comes, whether it was begun or not', async () => {
    for (const begun of [true, false]) {
      const why = new Error('the build failed');
      const stream = new PassThrough();
      const web = new TransformStream<Uint8Array, Uint8Array>();
      const given = { a: stream, b: web.writable };
      const destinations = new Destinations(new Map<string, Destination>(Object.entries(given)));
      if (begun) for (const path of Object.keys(given)) await destinations.put(path, new Uint8Array(1));
      destinations.close(why);
      await expect(finished(stream)).rejects.toBe(why);
      await expect(buffer(web.readable)).rejects.toBe(why);
    }
  });

  test('of a job that ended well without it is left as it is', async () => {
    const stream = new PassThrough();
    new Destinations(new Map([[OPTION, stream]])).close(undefined);
    await new Promise(setImmediate);
    expect(stream.destroyed).toBe(false);
  });
});
