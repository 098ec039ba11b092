import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { BuildOptions } from '../build-options.ts';
import { buildRequest, watchRequest } from './wire-request.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  return 'nothing is wrong';
}

const WRONG: readonly (readonly [Omit<BuildOptions, 'context'>, string])[] = [
  [
    { platform: 'linux/amd65' },
    'options.platform is "linux/amd65"\nexpected: os/architecture[/variant], for example linux/arm64\ndid you mean linux/amd64?',
  ],
  [
    { platform: 'linux/arm64,linux/amd64' },
    'options.platform is "linux/arm64,linux/amd64"\nexpected: os/architecture[/variant], for example linux/arm64',
  ],
  [
    { platform: 'amd65' },
    'options.platform is "amd65"\nexpected: os/architecture[/variant], for example linux/arm64\ndid you mean amd64?',
  ],
  [
    { platforms: ['linux/amd64', 'linux/arm46'] },
    'options.platforms[1] is "linux/arm46"\nexpected: os/architecture[/variant], for example linux/arm64\ndid you mean linux/arm64?',
  ],
  [
    { platform: 'linux/amd64', platforms: ['linux/arm64'] },
    'options.platform and options.platforms are both given\nexpected: one of them',
  ],
  [
    { outputs: [{ type: 'tar', dest: '-' }] },
    'options.outputs[0].dest is "-": the standard output is that of the program\nexpected: a path; of an archive, process.stdout, too',
  ],
  [
    { cacheFrom: [{ type: 'local', src: 'cache', digest: 'sha256:1' }] },
    'options.cacheFrom[0].digest is "sha256:1"\nexpected: sha256: and 64 hex digits',
  ],
];

describe('what is to be built', () => {
  test.each(WRONG)('%j', (options, message) => {
    expect(messageOf(() => buildRequest({ context: '.', ...options }))).toBe(message);
  });

  test('may be for a platform that is like none: it may be new', () => {
    const { request } = buildRequest({ context: '.', platform: 'linux/loongson3' });
    expect(request.platforms).toEqual(['linux/loongson3']);
  });

  test('has the time of the environment, where that makes sense', () => {
    vi.stubEnv('SOURCE_DATE_EPOCH', 'yesterday');
    expect(messageOf(() => buildRequest({ context: '.' }))).toBe(
      'SOURCE_DATE_EPOCH "yesterday" is no time\nexpected: seconds since 1970, for example 1700000000',
    );
  });

  test('is seen from a folder', () => {
    vi.spyOn(process, 'cwd').mockImplementation(() => {
      throw new Error('ENOENT');
    });
    expect(messageOf(() => buildRequest({ context: '.' }))).toBe('the current folder is not there any more');
    expect(buildRequest({ context: '.', cwd: '/' }).request.cwd).toBe('/');
  });

  test('is written anew for each image of a watch', () => {
    const outputs = [{ type: 'tar', dest: 'a' } as const, { type: 'oci', dest: new PassThrough() } as const];
    expect(messageOf(() => watchRequest({ context: '.', outputs }))).toBe(
      'options.outputs[1].dest is a stream, which can be written once\nexpected: a path, or a function of a Readable, which is called for each image',
    );
    expect(
      watchRequest({ context: '.', outputs: [{ type: 'oci', dest: () => {} }] }).request.outputs,
    ).toEqual([{ type: 'oci', destination: { option: 'options.outputs[0]' } }]);
  });

  test('lies somewhere, to be watched', () => {
    expect(messageOf(() => watchRequest({ context: { Dockerfile: 'FROM scratch' } }))).toBe(
      'options.context lies in no folder: nothing of it can change\nexpected: the path of a folder',
    );
  });
});
