import { describe, expect, test } from 'vitest';
import { checkOptions } from './check-options.ts';
import { CaissonError } from './error.ts';
import { membersOf } from './option-kinds.ts';
import {
  buildOptions,
  contextFile,
  imageName,
  newName,
  pruneOptions,
  removeOptions,
  runOptions,
  storeOptions,
  verifyOptions,
  watchOptions,
} from './option-schemas.ts';

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
    'options.outputs[1].dst is not known\nexpected: type, dest, compression\ndid you mean dest?',
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
  [{ context: '.', limits: { memory: '2g' } }, 'options.limits.memory is "2g"\nexpected: a number of bytes'],
  [{ context: '.', limits: { shmSize: 0.5 } }, 'options.limits.shmSize is 0.5\nexpected: a number of bytes'],
  [
    { context: '.', limits: { mem: 1 } },
    'options.limits.mem is not known\nexpected: memory, cpus, shmSize, ulimits',
  ],
  [
    { context: '.', limits: { ulimits: [{ resource: 'nofile', soft: 3, hard: 2 }] } },
    'options.limits.ulimits[0] is an object\nexpected: { resource, soft, hard }: one of cpu, fsize, data, stack, core, rss, nproc, nofile, memlock, as, locks, sigpending, msgqueue, nice, rtprio, rttime; two whole numbers, the soft one not above the hard one, -1 for no limit',
  ],
  [
    { context: '.', limits: { ulimits: [{ resource: 'nofiles', soft: 1, hard: 2 }] } },
    'options.limits.ulimits[0] is an object\nexpected: { resource, soft, hard }: one of cpu, fsize, data, stack, core, rss, nproc, nofile, memlock, as, locks, sigpending, msgqueue, nice, rtprio, rttime; two whole numbers, the soft one not above the hard one, -1 for no limit',
  ],
  [{ context: '.', limits: 5 }, 'options.limits is 5\nexpected: an object'],
  [{ context: '.', root: '' }, 'options.root is empty\nexpected: a path'],
  [{ context: '.', cwd: new URL('file:///') }, 'options.cwd is an object\nexpected: a path'],
  [{ context: '.', dockerfile: ['a'] }, 'options.dockerfile is a list\nexpected: a path'],
  [
    { context: '.', dockerfileText: Buffer.from('') },
    'options.dockerfileText is an object\nexpected: a text',
  ],
  [
    { context: '.', platform: ['linux/amd64'] },
    'options.platform is a list\nexpected: os/architecture[/variant], for example linux/arm64',
  ],
  [{ context: '.', platforms: 'linux/amd64' }, 'options.platforms is "linux/amd64"\nexpected: a list'],
  [
    { context: '.', buildContexts: { lib: '' } },
    'options.buildContexts.lib is empty\nexpected: a folder, docker-image://NAME, oci-layout://FOLDER or a URL',
  ],
  [
    { context: '.', sourceDateEpoch: new Date(0) },
    'options.sourceDateEpoch is an object\nexpected: whole seconds since 1970',
  ],
  [{ context: '.', registry: [] }, 'options.registry is a list\nexpected: an object'],
  [
    { context: '.', registry: { credentials: { username: 'me' } } },
    'options.registry.credentials is an object\nexpected: a function of the host of a registry',
  ],
  [
    { context: '.', registry: { mirrors: { 'docker.io': 'http://127.0.0.1:5000' } } },
    'options.registry.mirrors["docker.io"] is "http://127.0.0.1:5000"\nexpected: a list',
  ],
  [
    { context: '.', registry: { mirrors: { 'docker.io': [''] } } },
    'options.registry.mirrors["docker.io"][0] is empty\nexpected: a URL',
  ],
  [{ context: '.', secrets: [] }, 'options.secrets is a list\nexpected: an object'],
  [
    { context: '.', ssh: { default: [] } },
    'options.ssh.default is a list\nexpected: the path of a socket, or paths of private keys',
  ],
  [{ context: '.', noCache: 'yes' }, 'options.noCache is "yes"\nexpected: true or false'],
  [{ context: '.', noCacheFilter: 'build' }, 'options.noCacheFilter is "build"\nexpected: a list'],
  [{ context: '.', noCacheFilter: [''] }, 'options.noCacheFilter[0] is empty\nexpected: the name of a stage'],
  [
    { context: '.', contextModes: 'norml' },
    'options.contextModes is "norml"\nexpected: "exact", "normal"\ndid you mean normal?',
  ],
  [{ context: '.', forms: 'erofs' }, 'options.forms is "erofs"\nexpected: "auto", "trees", "maps"'],
  [{ context: '.', network: 'bridge' }, 'options.network is "bridge"\nexpected: "host", "none"'],
  [
    { context: '.', allow: ['network-host'] },
    'options.allow[0] is "network-host"\nexpected: "network.host"\ndid you mean network.host?',
  ],
  [{ context: '.', hosts: { db: 1 } }, 'options.hosts.db is 1\nexpected: an address'],
  [
    { context: '.', runtimes: ['crunn'] },
    'options.runtimes[0] is "crunn"\nexpected: "crun", "runc", "namespaces", "chroot"\ndid you mean crun?',
  ],
  [
    { context: '.', minIsolation: 'namespace' },
    'options.minIsolation is "namespace"\nexpected: "oci", "namespaces", "chroot"\ndid you mean namespaces?',
  ],
  [{ context: '.', labels: { a: true } }, 'options.labels.a is true\nexpected: a text'],
  [{ context: '.', push: 'reg/app' }, 'options.push is "reg/app"\nexpected: true or false'],
  [
    { context: '.', pushCompression: 'xz' },
    'options.pushCompression is "xz"\nexpected: "gzip", "zstd", "none"',
  ],
  [
    { context: '.', outputs: [{ type: 'tar', dest: 'a', compression: 'gzip' }] },
    'options.outputs[0].compression is not known\nexpected: type, dest',
  ],
  [{ context: '.', load: 1 }, 'options.load is 1\nexpected: true or false'],
  [
    { context: '.', cacheFrom: [{ type: 'local', src: 5 }] },
    'options.cacheFrom[0].src is 5\nexpected: a path',
  ],
  [
    { context: '.', cacheTo: [{ type: 'local', dest: 'a', compression: 'xz' }] },
    'options.cacheTo[0].compression is "xz"\nexpected: "none", "gzip", "zstd"',
  ],
  [{ context: '.', poll: 0 }, 'options.poll is 0\nexpected: a number of seconds'],
];

/** What is not known, and what was most likely meant. */
const UNKNOWN = [
  ['memory', 'limits.memory'],
  ['mem', undefined],
  ['ulimits', 'limits.ulimits'],
  ['cpu', 'limits.cpus'],
  ['shm_size', 'limits.shmSize'],
  ['credentials', 'registry.credentials'],
  ['mirror', 'registry.mirrors'],
  ['tag', 'tags'],
  ['file', 'dockerfile'],
  ['buildargs', 'buildArgs'],
  ['buildArg', 'buildArgs'],
  ['nocache', 'noCache'],
  ['output', 'outputs'],
  ['addHost', 'hosts'],
  ['registryMirror', 'registry.mirrors'],
  ['colour', undefined],
] as const;

describe('options', () => {
  test.each(WRONG)('%j', (options, message) => {
    const error = errorOf(() => checkOptions(watchOptions, options));
    expect(error).toBeInstanceOf(CaissonError);
    expect(error).toMatchObject({ code: 'invalid-request', message });
  });

  test('are each of them in the list above', () => {
    const told = WRONG.map(([, message]) => message);
    const untold = membersOf(watchOptions).filter(
      (each) => !told.some((message) => message.startsWith(`options.${each}`)),
    );
    expect(untold).toStrictEqual([]);
  });

  test.each(UNKNOWN)('%s is %s', (name, meant) => {
    const error = errorOf(() => checkOptions(buildOptions, { context: '.', [name]: 1 }));
    expect(error).toMatchObject({ failures: [{ message: `options.${name} is not known` }] });
    expect(error instanceof CaissonError && error.failures[0]?.suggestion).toBe(meant);
  });

  test('of an image to run', () => {
    expect([
      wrongRun({ image: 5 }),
      wrongRun({ command: 'sh' }),
      wrongRun({ entrypoint: [1] }),
      wrongRun({ env: { A: 1 } }),
      wrongRun({ workdir: '' }),
      wrongRun({ user: 0 }),
      wrongRun({ volumes: [{ source: '.' }] }),
      wrongRun({ volumes: [{ source: '.', target: '/a', readonly: true }] }),
      wrongRun({ pull: 'newer' }),
    ]).toMatchObject(
      [
        'options.image is 5\nexpected: the name of an image, an image id or the beginning of one',
        'options.command is "sh"\nexpected: a list',
        'options.entrypoint[0] is 1\nexpected: a text',
        'options.env.A is 1\nexpected: a text',
        'options.workdir is empty\nexpected: an absolute path',
        'options.user is 0\nexpected: a text',
        'options.volumes[0].target is missing\nexpected: a path',
        'options.volumes[0].readonly is not known\nexpected: source, target, readOnly\ndid you mean readOnly?',
        'options.pull is "newer"\nexpected: "always", "missing", "never"\ndid you mean never?',
      ].map((message) => ({ message })),
    );
  });

  test('of a store, and what its methods take', () => {
    expect([
      errorOf(() => checkOptions(storeOptions, { root: 1 })),
      errorOf(() => checkOptions(pruneOptions, { unusedFor: '7d' })),
      errorOf(() => checkOptions(pruneOptions, { keepStorage: -1 })),
      errorOf(() => checkOptions(pruneOptions, { dryrun: true })),
      errorOf(() => checkOptions(removeOptions, { force: 1 })),
      errorOf(() => checkOptions(verifyOptions, { repair: 'yes' })),
      errorOf(() => checkOptions(imageName, undefined, 'image')),
      errorOf(() => checkOptions(newName, {}, 'name')),
    ]).toMatchObject(
      [
        'options.root is 1\nexpected: a path',
        'options.unusedFor is "7d"\nexpected: a number of milliseconds',
        'options.keepStorage is -1\nexpected: a number of bytes',
        'options.dryrun is not known\nexpected: signal, unusedFor, kinds, ids, keepStorage, maxUsedSpace, minFreeSpace, dryRun\ndid you mean dryRun?',
        'options.force is 1\nexpected: true or false',
        'options.repair is "yes"\nexpected: true or false',
        'image is missing\nexpected: the name of an image, an image id or the beginning of one',
        'name is an object\nexpected: a name for the image: NAME[:TAG]',
      ].map((message) => ({ message })),
    );
  });

  test('that are not known are told with those that are', () => {
    const error = errorOf(() => checkOptions(runOptions, { image: 'app', volume: [] }));
    expect(error).toMatchObject({
      message:
        'options.volume is not known\nexpected: root, cwd, signal, image, command, entrypoint, env, workdir, user, input, stdout, stderr, forms, volumes, network, pull, runtimes, minIsolation, registry\ndid you mean volumes?',
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

function wrongRun(options: object): unknown {
  return errorOf(() => checkOptions(runOptions, { image: 'app', ...options }));
}
