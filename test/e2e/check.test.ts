import { describe, expect, inject } from 'vitest';
import * as z from 'zod/mini';
import { busyboxRoot } from '../rig/base-images.ts';
import { pushByHand } from '../rig/push-image.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

/** What a check prints, and how it ends. */
async function check(world: World, args: readonly string[] = ['check']): Promise<string> {
  const { exitCode, stdout, stderr } = await world.run(args);
  return `${stdout}${stderr === '' ? '' : `--- stderr\n${stderr}`}exit code ${exitCode}\n`;
}

const Answer = z.looseObject({
  warnings: z.array(z.looseObject({ ruleName: z.string(), detail: z.string() })),
  errors: z.optional(z.array(z.looseObject({ message: z.string() }))),
  unchecked: z.optional(z.array(z.looseObject({ image: z.string(), rules: z.array(z.string()) }))),
});

async function checkJson(world: World, args: readonly string[]): Promise<z.infer<typeof Answer>> {
  const { exitCode, stdout } = await world.run(args);
  expect(exitCode).toBe(1);
  return Answer.parse(JSON.parse(stdout));
}

describe('a check of a Dockerfile', () => {
  test('that is as it should be', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCMD ["a"]\n' });
    expect(await check(world)).toBe('Check complete, no warnings found.\nexit code 0\n');
  });

  test('tells each warning once, with its place and its page', async ({ world }) => {
    world.write({
      Dockerfile: 'FROM scratch AS Build\nARG VERSION=1\nCOPY app-$VERSOIN /\nCMD serve --port 80\n',
    });
    expect(await check(world)).toMatchInlineSnapshot(`
      "warning[StageNameCasing]: Stage name 'Build' should be lowercase
        at Dockerfile:1:17
      > 1 | FROM scratch AS Build
          |                 ^^^^^
        did you mean build?
        see docs/rules/StageNameCasing.md

      warning[UndefinedVar]: Usage of undefined variable '$VERSOIN'
        at Dockerfile:3:10
        2 | ARG VERSION=1
      > 3 | COPY app-$VERSOIN /
          |          ^^^^^^^^
        did you mean $VERSION?
        see docs/rules/UndefinedVar.md

      warning[JSONArgsRecommended]: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
        at Dockerfile:4:5
        3 | COPY app-$VERSOIN /
      > 4 | CMD serve --port 80
          |     ^^^^^^^^^^^^^^^
        did you mean CMD ["serve", "--port", "80"]?
        see docs/rules/JSONArgsRecommended.md

      Check complete, 3 warnings have been found!
      exit code 1
      "
    `);
  });

  test('as JSON, as docker has it', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nENV A=$B\n' });
    const { stdout, stderr } = await world.run(['check', '--format', 'json']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchInlineSnapshot(`
      {
        "sources": [
          {
            "data": "RlJPTSBzY3JhdGNoCkVOViBBPSRCCg==",
            "filename": "Dockerfile",
            "language": "Dockerfile",
          },
        ],
        "warnings": [
          {
            "description": "Variables should be defined before their use",
            "detail": "Usage of undefined variable '$B'",
            "location": {
              "ranges": [
                {
                  "end": {
                    "character": 8,
                    "line": 2,
                  },
                  "start": {
                    "character": 6,
                    "line": 2,
                  },
                },
              ],
            },
            "ruleName": "UndefinedVar",
            "url": "https://docs.docker.com/go/dockerfile/rule/undefined-var/",
          },
        ],
      }
    `);
    expect((await world.run(['build', '--call=check,format=json', '.'])).stdout).toBe(stdout);
  });

  test('checks every stage, or what a target needs', async ({ world }) => {
    world.write({
      Dockerfile:
        'FROM scratch AS a\nWORKDIR x\nFROM scratch AS b\nWORKDIR x\nFROM scratch AS c\nCOPY --from=b /x /\n',
    });
    const lines = async (...args: string[]): Promise<string[]> =>
      [...(await world.run(['check', ...args])).stdout.matchAll(/at Dockerfile:(\d+)/g)].map(
        ([, line = '']) => line,
      );
    expect(await lines()).toEqual(['2', '4']);
    expect(await lines('--target', 'c')).toEqual(['4']);
    expect(await lines('--target', 'a', '-f', 'Dockerfile', '.')).toEqual(['2']);
  });

  test('a stage in whose place a context stands is not checked', async ({ world }) => {
    world.write({
      Dockerfile: 'FROM scratch AS lib\nWORKDIR x\nFROM lib\nWORKDIR y\nENV A=$LIB\n',
      'other/Dockerfile': 'FROM scratch\nENV LIB=1\n',
    });
    const lines = async (...args: string[]): Promise<string[]> =>
      [...(await world.run(['check', ...args])).stdout.matchAll(/\[(\w+)\].*\n.*:(\d+):/g)].map(
        ([, rule = '', line = '']) => `${line} ${rule}`,
      );
    expect(await lines()).toEqual(['2 WorkdirRelativePath', '5 UndefinedVar']);
    expect(await lines('--build-context', 'lib=other')).toEqual(['4 WorkdirRelativePath', '5 UndefinedVar']);
  });

  test('an unknown target', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch AS build\n' });
    expect(await check(world, ['check', '--target', 'biuld'])).toMatchInlineSnapshot(`
      "--- stderr
      error[unknown-target]: Dockerfile has no stage "biuld"
        expected: one of build
        did you mean build?
        see docs/errors.md#unknown-target
      exit code 2
      "
    `);
  });

  test('uses build args, and the ignore file', async ({ world }) => {
    world.write({
      Dockerfile: 'ARG BASE\nFROM ${BASE:-scratch}\nARG FILE=README.md\nCOPY $FILE /\n',
      '.dockerignore': '*.md\n',
    });
    expect(await check(world)).toMatchInlineSnapshot(`
      "warning[CopyIgnoredFile]: Attempting to Copy file "README.md" that is excluded by .dockerignore
        at Dockerfile:4:6
        3 | ARG FILE=README.md
      > 4 | COPY $FILE /
          |      ^^^^^
        hint: line 1 of .dockerignore excludes it: *.md
        see docs/rules/CopyIgnoredFile.md

      Check complete, 1 warning has been found!
      exit code 1
      "
    `);
    expect((await world.run(['check', '--build-arg', 'FILE=main.c'])).exitCode).toBe(0);
  });

  test('all that could not be read, at once', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch AS A\nRUM true\nCOPY a\n' });
    expect(await check(world)).toMatchInlineSnapshot(`
      "Check failed: 2 errors, 0 warnings.
      --- stderr
      error[unknown-instruction]: there is no instruction "RUM"
        at Dockerfile:2:1
        1 | FROM scratch AS A
      > 2 | RUM true
          | ^^^
        did you mean RUN?
        see docs/errors.md#unknown-instruction
      error[missing-argument]: COPY needs at least one source and a destination
        at Dockerfile:3:6
        2 | RUM true
      > 3 | COPY a
          |      ^
        expected: COPY source... destination
        see docs/errors.md#missing-argument
      exit code 1
      "
    `);
  });

  test('what could not be built, beside the warnings', async ({ world }) => {
    world.write({
      Dockerfile: 'FROM scratch AS a\nCMD a\nCOPY --from=b /x /\nENV A=${B\nFROM scratch AS b\n',
    });
    expect(await check(world)).toMatchInlineSnapshot(`
      "warning[JSONArgsRecommended]: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
        at Dockerfile:2:5
        1 | FROM scratch AS a
      > 2 | CMD a
          |     ^
        did you mean CMD ["a"]?
        see docs/rules/JSONArgsRecommended.md

      Check failed: 2 errors, 1 warning.
      --- stderr
      error[unknown-stage]: stage "b" needs to be defined before current stage
        at Dockerfile:3:13
        2 | CMD a
      > 3 | COPY --from=b /x /
          |             ^
        expected: an image: this is the first stage
        see docs/errors.md#unknown-stage
      error[invalid-expansion]: missing '}' in "\${B"
        at Dockerfile:4:7
        3 | COPY --from=b /x /
      > 4 | ENV A=\${B
          |       ^^^
        see docs/errors.md#invalid-expansion
      exit code 1
      "
    `);
    const { warnings, errors } = await checkJson(world, ['check', '--format=json']);
    expect(warnings.map(({ ruleName }) => ruleName)).toEqual(['JSONArgsRecommended']);
    expect(errors?.map(({ message }) => message)).toEqual([
      'stage "b" needs to be defined before current stage',
      'missing \'}\' in "${B"',
    ]);
  });

  test('a wrong directive', async ({ world }) => {
    world.write({ Dockerfile: '# check=skp=all\nFROM scratch\n' });
    expect(await check(world)).toMatchInlineSnapshot(`
      "Check failed: 1 error, 0 warnings.
      --- stderr
      error[invalid-directive]: invalid check option "skp"
        at Dockerfile:1:9
      > 1 | # check=skp=all
          |         ^^^
        expected: skip=RULE,RULE or skip=all; error=true or error=false; experimental=RULE or experimental=all
        did you mean skip=?
        see docs/errors.md#invalid-directive
      exit code 1
      "
    `);
  });

  test('no Dockerfile', async ({ world }) => {
    expect((await check(world)).replaceAll(world.folder, '')).toMatchInlineSnapshot(`
      "--- stderr
      error[no-dockerfile]: there is no Dockerfile in /context
        hint: the last argument is the folder of the context; -f names a Dockerfile that is called otherwise
        see docs/errors.md#no-dockerfile
      exit code 2
      "
    `);
  });

  test('a Dockerfile on the standard input', async ({ world }) => {
    const input = 'FROM scratch\nMAINTAINER ann\n';
    const { stdout, exitCode } = await world.run(['check', '-'], { input });
    expect(stdout).toContain('warning[MaintainerDeprecated]: ');
    expect(exitCode).toBe(1);
  });
});

describe('a base image that is not to be reached', () => {
  test('keeps only the rules that need it from being checked', async ({ world }) => {
    world.write({ Dockerfile: 'FROM 127.0.0.1:1/nothing\nENV A=$B C=${D:?}\nCMD a\nMAINTAINER ann\n' });
    const said = await check(world, ['check']);
    expect(said.replace(/(127\.0\.0\.1:1)[^\n]*/g, '$1...')).toMatchInlineSnapshot(`
      "warning[MaintainerDeprecated]: Maintainer instruction is deprecated in favor of using label
        at Dockerfile:4:1
        3 | CMD a
      > 4 | MAINTAINER ann
          | ^^^^^^^^^^
        did you mean LABEL org.opencontainers.image.authors="ann"?
        see docs/rules/MaintainerDeprecated.md

      Check incomplete: 1 warning, 1 base image not looked at.
      --- stderr
      warning: cannot reach 127.0.0.1:1...
        at Dockerfile:1:6
      > 1 | FROM 127.0.0.1:1...
          |      ^^^^^^^^^^^^^^^^^^^
        hint: not checked for what builds on it: JSONArgsRecommended, UndefinedVar, InvalidBaseImagePlatform
      exit code 1
      "
    `);
    const { warnings, unchecked } = await checkJson(world, ['check', '--format=json']);
    expect(warnings.map(({ ruleName }) => ruleName)).toEqual(['MaintainerDeprecated']);
    expect(unchecked).toMatchObject([
      {
        image: '127.0.0.1:1/nothing:latest',
        rules: ['JSONArgsRecommended', 'UndefinedVar', 'InvalidBaseImagePlatform'],
        location: { ranges: [{ start: { line: 1, character: 5 }, end: { line: 1, character: 24 } }] },
      },
    ]);
  });
});

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('with base images', () => {
  test('their variables are known, and nothing is built', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nENV A=$PATH B=$PATHS\nRUN false\n' });
    const { stdout } = await world.run(['check']);
    expect(stdout).toContain("warning[UndefinedVar]: Usage of undefined variable '$PATHS'\n");
    expect(stdout).toContain('Check complete, 1 warning has been found!\n');
    expect((await world.ok(['images', '-q'])).stdout).toBe('');
  });

  test('one for another platform', async ({ world }) => {
    world.write({ Other: 'FROM foreign\n' });
    await pushByHand(inject('registry'), 'library/foreign', {
      layers: [await busyboxRoot()],
      platform: { os: 'linux', architecture: 's390x' },
    });
    const own = process.arch === 'x64' ? 'amd64' : process.arch;
    expect((await check(world, ['check', '-f', 'Other'])).replaceAll(own, 'OWN')).toMatchInlineSnapshot(`
      "warning[InvalidBaseImagePlatform]: Base image foreign was pulled with platform "linux/s390x", expected "linux/OWN" for current build
        at Other:1:6
      > 1 | FROM foreign
          |      ^^^^^^^
        hint: FROM --platform=linux/s390x takes it as it is
        see docs/rules/InvalidBaseImagePlatform.md

      Check complete, 1 warning has been found!
      exit code 1
      "
    `);
  });

  test('one that is not there is an error', async ({ world }) => {
    const registry = inject('registry');
    world.write({ Dockerfile: `FROM scratch AS nothing\nFROM ${registry}/nothings\nMAINTAINER ann\n` });
    expect((await check(world)).replaceAll(registry, 'REGISTRY').replace(/\^{9,}/g, '^'))
      .toMatchInlineSnapshot(`
        "warning[MaintainerDeprecated]: Maintainer instruction is deprecated in favor of using label
          at Dockerfile:3:1
          2 | FROM REGISTRY/nothings
        > 3 | MAINTAINER ann
            | ^
          did you mean LABEL org.opencontainers.image.authors="ann"?
          see docs/rules/MaintainerDeprecated.md

        Check failed: 1 error, 1 warning.
        --- stderr
        error[registry]: the registry REGISTRY has no REGISTRY/nothings:latest
          at Dockerfile:2:6
          1 | FROM scratch AS nothing
        > 2 | FROM REGISTRY/nothings
            |      ^
          see docs/errors.md#registry
        exit code 1
        "
      `);
  });
});

describe('the flags of build', () => {
  test('--check is --call=check', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nMAINTAINER ann\n' });
    const said = await check(world);
    expect(said).toContain('Check complete, 1 warning has been found!\nexit code 1\n');
    expect(await check(world, ['build', '--check', '.'])).toBe(said);
    expect(await check(world, ['build', '--call=check', '.'])).toBe(said);
    expect(await check(world, ['build', '--call', 'check,format=text', '-t', 'a', '.'])).toBe(said);
  });

  test.for([
    ['--call=outline', '--call outline is not supported yet\n  expected: build or check'],
    ['--call=chek', '--call "chek" is not known\n  expected: build, check\n  did you mean check?'],
    ['--call=check,format=xml', '--call format "xml" is not known\n  expected: text, json'],
    [
      '--call=check,fromat=json',
      '--call field "fromat" is not known\n  expected: format\n  did you mean format?',
    ],
    ['--check --call=build', '--check and --call=build say different things\n  expected: one of them'],
  ] as const)('%s', async ([flags, message], { world }) => {
    expect(await check(world, ['build', ...flags.split(' '), '.'])).toBe(
      `--- stderr\nerror[usage]: ${message}\n  see caisson build --help\nexit code 2\n`,
    );
  });
});
