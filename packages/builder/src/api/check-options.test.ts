import { describe, expect, test } from 'vitest';
import { checkOptions } from './check-options.ts';
import { CaissonError } from './error.ts';
import { buildOptions, contextFile, runOptions } from './option-schemas.ts';

/** Options of a caller without types, and the whole message. */
const WRONG: readonly (readonly [options: unknown, message: string])[] = [
  [undefined, 'options is missing\nexpected: an object'],
  [
    {},
    'options.context is missing\nexpected: a path, a URL, an object of files, a stream of the bytes of a tar, or an async iterable of entries',
  ],
  [{ context: '.', jobs: 'many' }, 'options.jobs is "many"\nexpected: a whole number from 1'],
  [{ context: '.', jobs: 0 }, 'options.jobs is 0\nexpected: a whole number from 1'],
  [
    { context: '.', pull: 'allways' },
    'options.pull is "allways"\nexpected: "always", "missing", "never"\ndid you mean always?',
  ],
  [
    { context: '.', outputs: [{ type: 'ocii', dest: 'a' }] },
    'options.outputs[0].type is "ocii"\nexpected: "oci", "docker", "tar", "local"\ndid you mean oci?',
  ],
  [
    {
      context: '.',
      outputs: [
        { type: 'oci', dest: 'a' },
        { type: 'oci', dst: 'a' },
      ],
    },
    'options.outputs[1].dst is not known\nexpected: type, dest\ndid you mean dest?',
  ],
  [{ context: '.', outputs: {} }, 'options.outputs is an object\nexpected: a list'],
  [{ context: '.', buildArgs: { A: 1 } }, 'options.buildArgs.A is 1\nexpected: a text'],
  [
    { context: '.', secrets: { 'npm-token': 12345 } },
    'options.secrets["npm-token"] is a number\nexpected: a text, bytes, a function that gives one, or { path }',
  ],
  [
    { context: '.', cacheFrom: [{ type: 'gha' }] },
    'options.cacheFrom[0].type is "gha"\nexpected: "registry", "local"',
  ],
  [
    { context: '.', cacheTo: [{ type: 'local', dest: 'a', mode: 'most' }] },
    'options.cacheTo[0].mode is "most"\nexpected: "min", "max"',
  ],
  [
    { context: '.', cacheMaxSize: '20g' },
    'options.cacheMaxSize is "20g"\nexpected: a number of bytes, or a part of the disk, for example "10%"',
  ],
  [{ context: '.', signal: {} }, 'options.signal is an object\nexpected: an AbortSignal'],
  [{ context: '.', target: '' }, 'options.target is empty\nexpected: the name or number of a stage'],
  [{ context: '.', tags: ['a', 1] }, 'options.tags is a list\nexpected: a name, or a list of names'],
  [{ context: '.', limits: { cpus: null } }, 'options.limits.cpus is null\nexpected: a number of processors'],
];

describe('options', () => {
  test.each(WRONG)('%j', (options, message) => {
    const error = errorOf(() => checkOptions(buildOptions, options));
    expect(error).toBeInstanceOf(CaissonError);
    expect(error).toMatchObject({ code: 'invalid-request', message });
  });

  test('that are not known are told with those that are', () => {
    const error = errorOf(() => checkOptions(runOptions, { image: 'app', volume: [] }));
    expect(error).toMatchObject({
      message:
        'options.volume is not known\nexpected: root, cwd, signal, image, command, entrypoint, env, workdir, user, volumes, network, pull, runtimes, registry\ndid you mean volumes?',
    });
  });

  test('may be there and undefined', () => {
    expect(checkOptions(buildOptions, { context: '.', target: undefined })).toStrictEqual({
      context: '.',
      target: undefined,
    });
  });

  test('of files in memory are named by their path', () => {
    const what = 'options.context["a b"]';
    expect(errorOf(() => checkOptions(contextFile, { content: 'x', mode: 0o10000 }, what))).toMatchObject({
      message: 'options.context["a b"].mode is 4096\nexpected: permissions, for example 0o755',
    });
    expect(errorOf(() => checkOptions(contextFile, { contents: 'x' }, what))).toMatchObject({
      message:
        'options.context["a b"] is an object\nexpected: a text, bytes, { content }, { symlink } or { folder: true }',
    });
  });
});

function errorOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
