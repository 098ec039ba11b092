import * as fc from 'fast-check';
import type { ContextFile, Line, Mount, Project, Stage } from './project.ts';

/** Paths of files; few, so that edits and Dockerfiles meet. */
export const PATHS = ['a', 'b', 'c.txt', 'd/a', 'd/b.txt', 'd/e/a', 'out/x', 's'] as const;
/** Two have the same length. */
export const CONTENTS = ['one\n', 'two\n', '', 'something longer\n'] as const;
export const MODES = [0o644, 0o755, 0o664, 0o600, 0o4755] as const;

/** Objects that are shown as they are. */
export const SHOWN = { noNullPrototype: true } as const;

const LISTED = '/m /w /d /x';

/** Commands that give the same on the same files; where a user may not do something, they go on. */
const COMMANDS = [
  `find ${LISTED} -type f 2>/dev/null | sort | xargs -r cat > /all; true`,
  `find ${LISTED} 2>/dev/null | sort | xargs -r stat -c '%n %F %a %u:%g' > /list; true`,
  `find ${LISTED} -type f 2>/dev/null | sort | xargs -r stat -c '%n %s %h' > /sizes; true`,
  'cat a > /cat 2>&1; true',
  'ls /w /m 2>/dev/null | wc -l > /count; true',
  'rm -rf /w/a /d/e; true',
  'mkdir -p /w /x && echo new > /x/new; true',
  'mv /w/a /w/moved; true',
  'chmod -R g+w /d /w; true',
  'ln /w/a /w/linked; ln -s a /w/sym; true',
  'cp -a /d /m /x; true',
  'echo same > /same; true',
  'true',
];

/** What a RUN sees besides files. */
const SHOW_ENV = 'echo "$A $B $E" "$PWD" $(id -u) "$0" > /tmp/env-$(id -u)';

/** What a RUN behind them can tell. */
const SEEN = [
  'ENV E=1',
  'ENV E=2 B=env',
  'ENV B=env E=2',
  'ARG A=1',
  'ARG A',
  'ARG B=2',
  'WORKDIR /w',
  'WORKDIR /d',
  'WORKDIR /tmp',
  'WORKDIR sub',
  'USER 1000',
  'USER nobody',
  'USER root',
  'SHELL ["/bin/busybox", "sh", "-c"]',
] as const;

const TEXTS = [
  ...SEEN,
  'LABEL l=1',
  'LABEL l=2',
  'CMD ["1"]',
  'EXPOSE 80',
  'HEALTHCHECK NONE',
  '# a comment',
];

const stageNumber = fc.constantFrom(0, 1);
const from = fc.option(fc.oneof(stageNumber, fc.constant('base' as const)), { nil: undefined });

const copy: fc.Arbitrary<Line> = fc.record(
  {
    kind: fc.constant('copy' as const),
    sources: fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom('a', 'd', '*', '*.txt', 'd/*', 'd/e/', 's').map((each) => [each]),
      },
      { weight: 1, arbitrary: fc.constantFrom(['.'], ['a', 'b'], ['d', 'a'], ['d/**/a'], ['[ab]']) },
    ),
    destination: fc.constantFrom('/w/', '/d', './', '/w/a', '/x/y/'),
    flags: fc.uniqueArray(
      fc.constantFrom('--chown=5:6', '--chown=nobody', '--chmod=711', '--link', '--exclude=a', '--parents'),
      { maxLength: 2, selector: (flag) => flag.split('=', 1)[0] },
    ),
    from,
  },
  SHOWN,
);

const mount: fc.Arbitrary<Mount> = fc.oneof(
  fc.record({ kind: fc.constant('bind' as const), source: fc.constantFrom('d', 'a', '/'), from }, SHOWN),
  fc
    .constantFrom('type=tmpfs,target=/t', 'type=cache,target=/c')
    .map((text): Mount => ({ kind: 'other', text })),
);

const run: fc.Arbitrary<Line> = fc.record(
  {
    kind: fc.constant('run' as const),
    command: fc.oneof(
      { weight: 1, arbitrary: fc.constant(SHOW_ENV) },
      { weight: 3, arbitrary: fc.constantFrom(...COMMANDS) },
    ),
    mounts: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.tuple(mount)),
  },
  SHOWN,
);

/** Any instruction but RUN: what needs no sandbox is built many times faster. */
export const quickLine: fc.Arbitrary<Line> = fc.oneof(
  { weight: 3, arbitrary: copy },
  { weight: 2, arbitrary: fc.constantFrom(...TEXTS).map((text): Line => ({ kind: 'text', text })) },
);

/** Any instruction. */
export const anyLine: fc.Arbitrary<Line> = fc.oneof(
  { weight: 5, arbitrary: quickLine },
  { weight: 3, arbitrary: run },
);

const stageOf = (line: fc.Arbitrary<Line>): fc.Arbitrary<Stage> =>
  fc.record(
    {
      base: fc.oneof(
        { weight: 3, arbitrary: fc.constant('base' as const) },
        { weight: 1, arbitrary: fc.oneof(fc.constant('scratch' as const), stageNumber) },
      ),
      lines: fc.array(line, { minLength: 1, maxLength: 5 }),
    },
    SHOWN,
  );

/** An instruction whose effect a RUN shows. */
export const seenLine: fc.Arbitrary<Line> = fc
  .constantFrom(...SEEN)
  .map((text): Line => ({ kind: 'text', text }));

const SHOW: Line = { kind: 'run', command: SHOW_ENV, mounts: [] };

/** Any file, folder or link. */
export const anyFile: fc.Arbitrary<ContextFile> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        type: fc.constant('file' as const),
        content: fc.constantFrom(...CONTENTS),
        mode: fc.constantFrom(...MODES),
      },
      SHOWN,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      { type: fc.constant('folder' as const), mode: fc.constantFrom(0o755, 0o700) },
      SHOWN,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        type: fc.constant('symlink' as const),
        target: fc.constantFrom('a', '/d', '../b', 'gone'),
      },
      SHOWN,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('link' as const), to: fc.constantFrom(...PATHS) }, SHOWN),
  },
);

/** What `.dockerignore` may say. */
export const anyIgnored = fc.uniqueArray(fc.constantFrom('a', 'd/e', '**/a', '!d/a', '*.txt', 'out'), {
  maxLength: 2,
});

/** Any small project. Most files that Dockerfiles speak of are there. */
export const anyProject: fc.Arbitrary<Project> = fc.record(
  {
    files: fc
      .array(fc.tuple(fc.constantFrom(...PATHS), anyFile), { maxLength: 4 })
      .map((changed) => new Map<string, ContextFile>([...PLAIN, ...changed])),
    ignored: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: anyIgnored }),
    stages: fc.oneof(
      { weight: 3, arbitrary: fc.array(stageOf(quickLine), { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.array(stageOf(anyLine), { minLength: 1, maxLength: 3 }) },
    ),
    buildArgs: fc.constantFrom({}, { A: 'given' }),
    base: fc.constant('one' as const),
  },
  SHOWN,
);

/**
 * Stages whose RUNs show all that is not files, and one that has what they show. Nothing but that is changed in them: a
 * sandbox takes longer than all else, so each build tries several.
 */
export const seeingProject: fc.Arbitrary<Project> = fc
  .array(fc.array(seenLine, { minLength: 1, maxLength: 2 }), { minLength: 4, maxLength: 4 })
  .map((seeing): Project => ({
    files: new Map(),
    ignored: [],
    stages: [
      ...seeing.map((lines): Stage => ({ base: 'base', lines: [...lines, SHOW] })),
      { base: 'scratch', lines: seeing.map((_lines, stage) => copyOfShown(stage)) },
    ],
    buildArgs: {},
    base: 'one',
  }));

function copyOfShown(stage: number): Line {
  return { kind: 'copy', sources: ['/tmp/'], destination: `/shown-${stage}`, flags: [], from: stage };
}

const PLAIN = (['a', 'b', 'c.txt', 'd/a', 'd/e/a', 's'] as const).map((path): [string, ContextFile] => [
  path,
  { type: 'file', content: 'one\n', mode: 0o644 },
]);
