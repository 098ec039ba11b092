import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { errorOf, eventsOf, test } from '../rig/api-world.ts';
import { checkStore } from '../rig/check-store.ts';
import { eventually, mountsBelow, processesWith } from '../rig/leftovers.ts';
import { stateOfProcess } from '../rig/process-state.ts';
import { packTar } from '../rig/pack-tar.ts';
import { lacks } from '../rig/tools.ts';

const EPOCH = 1_600_000_000;

const APP = {
  Dockerfile:
    'FROM busybox\nCOPY . /app\nRUN cat /app/src/a.txt > /a && stat -c %A:%u:%g:%n /app /app/* /app/src/* > /list\n',
  '.dockerignore': 'secret\nDockerfile\n.dockerignore\n',
  'src/a.txt': 'a\n',
  'src/b.bin': new Uint8Array([0, 1, 2, 255]),
  secret: 'not in the image',
};

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('build() of Node', () => {
  test('an output that cannot be written is refused before anything is built', async ({ api }) => {
    const work = api.buildImage({ context: APP, outputs: [{ type: 'tar', dest: 'nowhere/x.tar' }] });
    const [error, events] = await Promise.all([errorOf(work), eventsOf(work)]);
    const message = `cannot write the output ${api.context}/nowhere/x.tar: its folder does not exist`;
    expect(error).toMatchObject({ code: 'output', message });
    expect(events.map(({ kind }) => kind)).toEqual(['failed']);
  });

  test('gives the image, and tells what happens', async ({ api }) => {
    const work = api.buildImage({ context: APP, tags: ['app', 'app:1'], labels: { a: 'b' } });
    const [image, events] = await Promise.all([work, eventsOf(work)]);
    expect(image).toMatchObject({
      names: ['docker.io/library/app:latest', 'docker.io/library/app:1'],
      isStored: true,
      config: { os: 'linux', config: { Labels: { a: 'b' } } },
      outputs: [],
      pushed: [],
      warnings: [],
      isolation: { network: 'host' },
      steps: [
        { id: 1, name: '2/3', text: 'COPY . /app', outcome: 'ran', reason: { kind: 'no-record' } },
        { id: 2, name: '3/3', outcome: 'ran', place: { path: 'Dockerfile' } },
      ],
    });
    expect(image.steps[1]?.place.range.start.line).toBe(3);
    expect(image.steps[1]?.place.source.line(1)).toBe('FROM busybox');
    expect(image.duration).toBeGreaterThan(0);
    expect([...new Set(events.map(({ kind }) => kind))].toSorted()).toStrictEqual([
      'base',
      'fetch',
      'image',
      'isolation',
      'planned',
      'step-done',
      'step-started',
    ]);
    const again = await api.buildImage({ context: APP, tags: 'app', labels: { a: 'b' } });
    expect(again.id).toBe(image.id);
    expect(again.steps.map(({ outcome }) => outcome)).toStrictEqual(['cached', 'cached']);
    const edited = await api.buildImage({ context: { ...APP, 'src/a.txt': 'edited' } });
    expect(edited.steps[0]?.reason).toMatchObject({
      kind: 'changed',
      changes: [{ kind: 'files', files: [{ path: 'src/a.txt', change: 'changed' }] }],
    });
    expect(checkStore(api.store)).toStrictEqual([]);
  });

  test('builds for several platforms at once', async ({ api }) => {
    const Dockerfile = 'FROM scratch\nARG TARGETARCH\nENV FOR=$TARGETARCH\nCOPY Dockerfile /\n';
    const options = { context: { Dockerfile }, platforms: ['linux/amd64', 'linux/s390x'] };
    const outputs = [{ type: 'local', dest: 'out' }] as const;
    const { id, digest, manifest, config, images, isStored } = await api.buildImage({ ...options, outputs });
    expect(images.map(({ platform }) => platform)).toStrictEqual(options.platforms);
    expect(images.map((image) => image.config.config?.Env?.at(-1))).toStrictEqual(['FOR=amd64', 'FOR=s390x']);
    expect(config).toStrictEqual(images[0].config);
    expect(manifest.mediaType).toBe('application/vnd.oci.image.index.v1+json');
    expect([id, digest, isStored]).toStrictEqual([manifest.digest, manifest.digest, false]);
    for (const folder of ['linux_amd64', 'linux_s390x'])
      expect(readFileSync(join(api.context, 'out', folder, 'Dockerfile'), 'utf8')).toBe(Dockerfile);
    const error = await errorOf(api.buildImage({ ...options, load: true }));
    expect(error.message).toBe(
      "load: true takes an image for one platform\nexpected: one platform, or push: true, or outputs of the types 'oci', 'tar' and 'local'",
    );
  });

  test('limits what a step may use', async ({ api }) => {
    const context = {
      Dockerfile: 'FROM busybox\nRUN ulimit -Sn > /seen && ulimit -Hn >> /seen && ulimit -c >> /seen\n',
    };
    const limits = {
      ulimits: [
        { resource: 'nofile', soft: 100, hard: 200 },
        { resource: 'core', soft: 0, hard: 0 },
      ],
    } as const;
    const dest = join(api.folder, 'files');
    await api.buildImage({ context, limits, outputs: [{ type: 'local', dest }] });
    expect(readFileSync(join(dest, 'seen'), 'utf8')).toBe('100\n200\n0\n');
  });

  test('makes the same image of the same files, wherever they are', async ({ api }) => {
    api.write(APP);
    const options = { sourceDateEpoch: EPOCH, noCache: true };
    const ids = [
      await api.buildImage({ context: '.', ...options }),
      await api.buildImage({ context: new URL(`file://${api.context}`), ...options }),
      await api.buildImage({ context: APP, ...options }),
      await api.buildImage({ context: entriesOf(APP), ...options }),
    ].map(({ id }) => id);
    expect(new Set(ids).size).toBe(1);
    const { Dockerfile, '.dockerignore': _ignore, secret: _secret, ...files } = APP;
    const tar = await packTar([
      { name: 'src/', type: 'directory' },
      ...Object.entries(files).map(([name, content]) => ({ name, type: 'file' as const, content })),
    ]);
    const dockerfileText = Dockerfile;
    for (const context of [Readable.from([tar]), new Blob([tar]).stream(), slices(tar)]) {
      const image = await api.buildImage({ context, dockerfileText, ...options });
      expect(image.id).toBe(ids[0]);
    }
    const { stdout } = await api.ok(['build', '-q', '--no-cache', '.'], {
      env: { SOURCE_DATE_EPOCH: String(EPOCH) },
    });
    expect(stdout.trim()).toBe(ids[0]);
  });

  test('asks for a secret when a step needs it, and shows it to nobody else', async ({ api }) => {
    const value = 'correct-horse-battery-staple';
    let asked = 0;
    const context = {
      Dockerfile:
        'FROM busybox\nRUN --mount=type=secret,id=token cat /run/secrets/token | wc -c > /size\nRUN --mount=type=secret,id=plain test "$(cat /run/secrets/plain)" = text\n',
    };
    const secrets = {
      token: async () => {
        asked++;
        await sleep(1);
        return new TextEncoder().encode(value);
      },
      plain: 'text',
      unused: () => {
        throw new Error('nobody needs this');
      },
    };
    const work = api.buildImage({ context, secrets });
    const [, events] = await Promise.all([work, eventsOf(work)]);
    expect(asked).toBe(1);
    expect(JSON.stringify(events)).not.toContain(value);
    expect(filesWith(api.store, value)).toStrictEqual([]);
    await api.buildImage({ context, secrets: { ...secrets, token: () => value } });
  });

  test('is rejected with what went wrong, and where', async ({ api }) => {
    const Dockerfile = 'FROM busybox\nRUN echo said; exit 3\n';
    const work = api.buildImage({ context: { Dockerfile } });
    const [error, events] = await Promise.all([errorOf(work), eventsOf(work)]);
    expect(error).toMatchObject({
      name: 'CaissonError',
      message: 'Dockerfile:2: RUN echo said; exit 3 ended with exit code 3',
      code: 'step-failed',
      exitCode: 3,
      step: { id: 1, text: 'RUN echo said; exit 3' },
      failures: [{ details: ['said'] }],
    });
    expect(readFileSync(error.log ?? '', 'utf8')).toContain('said');
    expect(error.place?.range.start).toMatchObject({ line: 2, column: 1 });
    expect(events.at(-1)).toMatchObject({ kind: 'failed', failures: [{ code: 'step-failed' }] });
    const mistakes = await errorOf(api.buildImage({ context: { Dockerfile: 'FRM x\nCOPPY a b\n' } }));
    expect(mistakes.failures.length).toBeGreaterThan(1);
  });

  test('tells what a function of the caller threw', async ({ api }) => {
    const cause = new Error('the vault is sealed');
    const Dockerfile = 'FROM busybox\nRUN --mount=type=secret,id=a,required true\n';
    const fail = (): never => {
      throw cause;
    };
    const secret = await errorOf(api.buildImage({ context: { Dockerfile }, secrets: { a: fail } }));
    expect(secret).toMatchObject({
      code: 'missing-secret',
      message: 'Dockerfile:2: the secret "a" cannot be had: the vault is sealed',
      cause,
    });
    const nothing: () => string = JSON.parse.bind(undefined, 'null'); // as of a caller without types
    expect(await errorOf(api.buildImage({ context: { Dockerfile }, secrets: { a: nothing } }))).toMatchObject(
      {
        message:
          'Dockerfile:2: the secret "a" cannot be had: its function gave null, neither a text nor bytes',
      },
    );
    const broken = Readable.from(
      (function* () {
        yield { path: 'Dockerfile', content: Dockerfile };
        fail();
      })(),
    );
    expect(await errorOf(api.buildImage({ context: broken }))).toMatchObject({
      code: 'invalid-request',
      message: 'the build context cannot be read: the vault is sealed',
      cause,
    });
    const wrong = { Dockerfile, 'a b': { content: '', mode: 1e6 } };
    expect(await errorOf(api.buildImage({ context: wrong }))).toMatchObject({
      message: 'options.context["a b"].mode is 1000000\nexpected: permissions, for example 0o755',
    });
  });

  test('ends within a second when it is told to, and leaves nothing', async ({ api }) => {
    const marker = `54321.${process.pid}`;
    const Dockerfile = `FROM busybox\nRUN (sleep ${marker} &); echo started; sleep ${marker}\n`;
    const abort = new AbortController();
    const work = api.buildImage({ context: { Dockerfile }, signal: abort.signal });
    let abortedAt = 0;
    const watching = (async () => {
      for await (const event of work) {
        if (event.kind !== 'step-output') continue;
        abortedAt = performance.now();
        abort.abort(new Error('enough'));
      }
    })();
    const error = await errorOf(work);
    await expect(watching).rejects.toBe(error);
    // Counted generously: the machine may be busy.
    expect(performance.now() - abortedAt).toBeLessThan(5000);
    expect(error).toMatchObject({ code: 'cancelled', message: 'the build was cancelled' });
    expect(error.cause).toMatchObject({ message: 'enough' });
    expect(await eventually(() => processesWith(marker).length === 0)).toBe(true);
    expect(mountsBelow(api.store)).toStrictEqual([]);
    expect(readdirSync(join(api.store, 'tmp'))).toStrictEqual([]);
    expect(readdirSync(join(api.store, 'builds'))).toStrictEqual([]);
    const early = api.buildImage({ context: { Dockerfile }, signal: AbortSignal.abort() });
    expect(await errorOf(early)).toMatchObject({ code: 'cancelled' });
  });

  test('is cancelled while its context is still coming', async ({ api }) => {
    const abort = new AbortController();
    let ended = false;
    const endless = (async function* () {
      try {
        for (let index = 0; ; index++) {
          if (index === 100) abort.abort();
          yield { path: `file-${index}`, content: 'x' };
          await sleep(1);
        }
      } finally {
        ended = true;
      }
    })();
    const silent = new Readable({ read() {} });
    expect(await errorOf(api.buildImage({ context: endless, signal: abort.signal }))).toMatchObject({
      code: 'cancelled',
    });
    expect(await eventually(() => ended)).toBe(true);
    const other = new AbortController();
    setTimeout(() => other.abort(), 300);
    expect(await errorOf(api.buildImage({ context: silent, signal: other.signal }))).toMatchObject({
      code: 'cancelled',
    });
    expect(silent.destroyed).toBe(true);
  });

  test('goes on when nobody listens any more', async ({ api }) => {
    const work = api.buildImage({ context: APP });
    for await (const event of work) if (event.kind === 'planned') break;
    expect((await work).steps).toHaveLength(2);
  });

  test('does several builds at once on one store', async ({ api }) => {
    const builds = Array.from({ length: 5 }, (_, index) =>
      api.buildImage({
        context: { ...APP, Dockerfile: `${APP.Dockerfile}RUN echo ${index} > /own\n` },
        tags: `app:${index}`,
      }),
    );
    const images = await Promise.all(builds);
    expect(new Set(images.map(({ id }) => id)).size).toBe(5);
    expect(checkStore(api.store)).toStrictEqual([]);
    const failing = api.buildImage({ context: { Dockerfile: 'FROM busybox\nRUN false\n' } });
    const working = api.buildImage({ context: { Dockerfile: 'FROM busybox\nRUN true\n' } });
    expect((await Promise.allSettled([failing, working])).map(({ status }) => status)).toStrictEqual([
      'rejected',
      'fulfilled',
    ]);
  });

  test('runs a step that several builds need once, and again where the first did not give it', async ({
    api,
  }) => {
    const context = {
      Dockerfile:
        'FROM busybox\nRUN --mount=type=cache,target=/runs echo run >> /runs/list && sleep 1 && cat /runs/list | wc -l > /count\nRUN true\n',
    };
    const works = [1, 2, 3].map(() => api.buildImage({ context }));
    const [images, events] = await Promise.all([Promise.all(works), Promise.all(works.map(eventsOf))]);
    expect(new Set(images.map(({ id }) => id)).size).toBe(1);
    const started = events.flat().filter(({ kind }) => kind === 'step-started').length;
    expect(started).toBe(2);

    const edited = { Dockerfile: `${context.Dockerfile}RUN sleep 1; echo edited\n` };
    const abort = new AbortController();
    const first = api.buildImage({ context: edited, signal: abort.signal });
    const hasStarted = (async () => {
      for await (const event of first) if (event.kind === 'step-started') return;
    })();
    await hasStarted;
    const second = api.buildImage({ context: edited });
    for await (const event of second) if (event.kind === 'planned') break;
    abort.abort();
    expect(await errorOf(first)).toMatchObject({ code: 'cancelled' });
    expect((await second).steps.map(({ outcome }) => outcome)).toStrictEqual(['cached', 'cached', 'ran']);

    const failing = { Dockerfile: 'FROM busybox\nRUN sleep 0.2; exit 4\n' };
    const both = [1, 2].map(() => errorOf(api.buildImage({ context: failing })));
    expect((await Promise.all(both)).map(({ exitCode }) => exitCode)).toStrictEqual([4, 4]);
  });

  test('leaves the process of its caller as it was', async ({ api }) => {
    await api.buildImage({ context: APP });
    const before = stateOfProcess();
    await api.buildImage({ context: APP, noCache: true });
    await errorOf(api.buildImage({ context: { Dockerfile: 'FROM busybox\nRUN false\n' } }));
    const abort = new AbortController();
    const aborted = api.buildImage({ context: APP, noCache: true, signal: abort.signal });
    for await (const event of aborted) if (event.kind === 'planned') break;
    abort.abort();
    await errorOf(aborted);
    expect(stateOfProcess()).toStrictEqual(before);
  });
});

async function* entriesOf(tree: Readonly<Record<string, string | Uint8Array>>) {
  for (const [path, content] of Object.entries(tree)) yield await Promise.resolve({ path, content });
}

async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield await Promise.resolve(bytes.subarray(at, at + 700));
}

/** The files below a folder that hold a text. */
function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}
