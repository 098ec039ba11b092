import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import type { Dockerfile, Stage } from '../ast.ts';
import { expandGlobalArgs } from '../global-args.ts';
import { createIgnoreMatcher } from '../ignore-matcher.ts';
import { parseDockerfile } from '../parse.ts';
import { targetStage } from '../stage-lookup.ts';
import { lintDockerfile, type LintResult, type LintWarning } from './lint-dockerfile.ts';
import type { KnownBase } from './lint-options.ts';
import { dockerPage, RULE_NAMES } from './rule-name.ts';
import { RULES } from './rules.ts';

/*
 * The cases of fixtures/lint: NAME.Dockerfile, the warnings that it must give in NAME.warnings, and in NAME.json what
 * the Dockerfile does not say. `vitest -u` writes the warnings anew: look at what changed.
 */
const CASES = fileURLToPath(new URL('../../../../fixtures/lint', import.meta.url));

const Settings = z.strictObject({
  buildArgs: z.optional(z.record(z.string(), z.string())),
  target: z.optional(z.string()),
  dockerignore: z.optional(z.string()),
  bases: z.optional(
    z.record(
      z.string(),
      z.strictObject({
        env: z.optional(z.record(z.string(), z.string())),
        shell: z.optional(z.array(z.string())),
        onbuild: z.optional(z.array(z.string())),
        mismatch: z.optional(
          z.strictObject({ actual: z.string(), expected: z.string(), meant: z.optional(z.string()) }),
        ),
      }),
    ),
  ),
});
type Settings = z.infer<typeof Settings>;

const PLATFORMS = new Map(
  ['BUILD', 'TARGET'].flatMap((prefix): [string, string][] => [
    [`${prefix}PLATFORM`, 'linux/amd64'],
    [`${prefix}OS`, 'linux'],
    [`${prefix}ARCH`, 'amd64'],
  ]),
);

function lint(
  text: string,
  { buildArgs = {}, target, dockerignore, bases = {} }: Settings = {},
): { dockerfile: Dockerfile; diagnostics: LintWarning[] } & Omit<LintResult, 'warnings' | 'errors'> {
  const { dockerfile } = parseDockerfile(text);
  const given = new Map(Object.entries(buildArgs));
  const known = new Map<Stage, KnownBase>();
  for (const stage of dockerfile.stages) {
    const base = bases[stage.from.image.text];
    if (base === undefined) continue;
    const { env = {}, shell, onbuild = [], mismatch } = base;
    known.set(stage, {
      env: new Map(Object.entries(env)),
      hasShell: shell !== undefined,
      triggers: onbuild,
      ...(mismatch === undefined ? {} : { mismatch }),
    });
  }
  const stage = target === undefined ? undefined : targetStage(dockerfile, target);
  const result = lintDockerfile(dockerfile, {
    buildArgs: given,
    globalArgs: expandGlobalArgs(dockerfile, PLATFORMS, given).args,
    globalDefaults: expandGlobalArgs(dockerfile, PLATFORMS, new Map()).args,
    bases: known,
    ...(stage === undefined ? {} : { stages: [stage] }),
    ...(dockerignore === undefined
      ? {}
      : { ignore: { ...createIgnoreMatcher(dockerignore), path: '.dockerignore' } }),
  });
  return { ...result, diagnostics: [...result.errors, ...result.warnings], dockerfile };
}

/** A diagnostic in one line: where, what is marked, and all that is said. */
function lineOf(
  { source }: Dockerfile,
  { range, severity, code, message, expected, suggestion, hint }: LintWarning,
): string {
  const marked = source.text.slice(range.start.offset, range.end.offset);
  const more = [
    expected === undefined ? '' : `\n    expected: ${expected}`,
    suggestion === undefined ? '' : `\n    did you mean ${suggestion}?`,
    hint === undefined ? '' : `\n    hint: ${hint}`,
  ].join('');
  const label = severity === 'error' ? 'error: ' : '';
  return `${range.start.line} ${label}${code} ${JSON.stringify(marked)}\n    ${message}${more}\n`;
}

const cases = readdirSync(CASES, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.Dockerfile'))
  .map((path) => path.slice(0, -'.Dockerfile'.length))
  .toSorted();

test.each(cases)('%s', async (name) => {
  const path = join(CASES, name);
  const settings = existsSync(`${path}.json`)
    ? Settings.parse(JSON.parse(readFileSync(`${path}.json`, 'utf8')))
    : {};
  const { diagnostics, dockerfile } = lint(readFileSync(`${path}.Dockerfile`, 'utf8'), settings);
  const warnings = diagnostics.map((each) => lineOf(dockerfile, each)).join('');
  await expect(warnings).toMatchFileSnapshot(`${path}.warnings`);
});

describe.each(RULE_NAMES)('%s', (name) => {
  const { wrong, right } = RULES[name];
  const settings: Settings = {
    bases: {
      busybox:
        name === 'InvalidBaseImagePlatform'
          ? { mismatch: { actual: 'linux/arm64', expected: 'linux/amd64' } }
          : {},
    },
    dockerignore: '*.md\n',
  };

  test('has cases that hit', () => {
    const hit = cases.some(
      (each) =>
        each.startsWith(`${name}/`) &&
        readFileSync(join(CASES, `${each}.warnings`), 'utf8').includes(` ${name} `),
    );
    expect(hit).toBe(true);
  });

  test('its wrong example gives it and nothing else', () => {
    expect(new Set(lint(wrong, settings).diagnostics.map(({ code }) => code))).toEqual(new Set([name]));
  });

  test('its right example gives nothing', () => {
    const isMissing = { bases: { busybox: {} }, dockerignore: '*.md\n!README.md\n' };
    expect(lint(right, isMissing).diagnostics).toEqual([]);
  });
});

test('the addresses of the pages of docker', () => {
  expect(RULE_NAMES.slice(0, 7).map(dockerPage)).toEqual(
    [
      'stage-name-casing',
      'from-as-casing',
      'no-empty-continuation',
      'consistent-instruction-casing',
      'duplicate-stage-name',
      'reserved-stage-name',
      'json-args-recommended',
    ].map((page) => `https://docs.docker.com/go/dockerfile/rule/${page}/`),
  );
});

test('error=true', () => {
  expect(lint('# check=error=true\nFROM scratch\n').isError).toBe(true);
  expect(lint('FROM scratch\n').isError).toBe(false);
});

test('the rules that an unknown base turns off, but for those that are skipped', () => {
  const off = ['JSONArgsRecommended', 'UndefinedVar', 'InvalidBaseImagePlatform'];
  expect(lint('FROM busybox\n').rulesThatNeedBase).toEqual(off);
  expect(lint('# check=skip=UndefinedVar\nFROM busybox\n').rulesThatNeedBase).toEqual(off.toSpliced(1, 1));
});

test('any text is linted without a throw, and every range lies in it', { timeout: 120_000 }, () => {
  const piece = fc.constantFrom(
    ...'FROM a| AS |ARG x=|ENV a=$b|COPY ${c:-|EXPOSE 80/|:|CMD |WORKDIR |# check=skip=|# x|all|;|\\|\n|\n\n|$|}|"|\'|ONBUILD |--platform=|RUN --mount=type=bind,|<<E|E|ü'.split(
      '|',
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 40 }), (pieces) => {
      const text = pieces.join('');
      for (const { range } of lint(text, { dockerignore: '*\n!x' }).diagnostics) {
        expect(range.start.offset).toBeGreaterThanOrEqual(0);
        expect(range.end.offset).toBeGreaterThanOrEqual(range.start.offset);
        expect(range.end.offset).toBeLessThanOrEqual(text.length);
      }
    }),
    { numRuns: 2000 },
  );
});
