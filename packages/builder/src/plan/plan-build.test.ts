import { describe, expect, test } from 'vitest';
import type { ContainerConfig, Platform } from '@caisson/oci';
import type { BaseImage } from '../bases/base-image.ts';
import { NO_RULES } from '../context/ignore-rules.ts';
import { LocalContext } from '../context/local-context.ts';
import { NO_MEMORY } from '../context/stat-cache.ts';
import type { BuildEvent } from '../events.ts';
import { BuildError } from '../failure.ts';
import { EMPTY_STATE } from '../state.ts';
import { chainOf, stagesOf } from './planned-stages.ts';
import { planBuild, type PlannedTarget, type PlanRequest } from './plan-build.ts';
import type { PlannedStage } from './planned.ts';

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const AMD64 = { os: 'linux', architecture: 'amd64' };

function image(config: ContainerConfig = {}, platform: Platform = AMD64): BaseImage {
  return {
    name: 'base',
    config: { ...platform, config, rootfs: { type: 'layers', diff_ids: [] } },
    state: EMPTY_STATE,
  };
}

interface Options extends Partial<Omit<PlanRequest, 'buildArgs'>> {
  readonly args?: Readonly<Record<string, string>>;
  readonly base?: ContainerConfig;
  readonly events?: BuildEvent[];
}

async function plan(text: string, options: Options = {}): Promise<PlannedStage> {
  const [target] = await planAll(text, options);
  if (target === undefined) throw new Error('nothing was planned');
  return target.stage;
}

function planAll(
  text: string,
  { args = {}, base, events = [], ...request }: Options = {},
): Promise<PlannedTarget[]> {
  return planBuild('Dockerfile', text, {
    target: undefined,
    network: 'host',
    allow: new Set(),
    platforms: [{ target: AMD64, build: AMD64 }],
    context: new LocalContext('the build context', '/nowhere', NO_RULES, NO_MEMORY),
    openContext: () => Promise.resolve(undefined),
    resolveImage: (_name, platform) => Promise.resolve(image(base, platform)),
    emit: (event) => events.push(event),
    ...request,
    buildArgs: new Map(Object.entries(args)),
  });
}

async function history(text: string, options: Options = {}): Promise<string[]> {
  return (await plan(text, options)).history.map(({ createdBy }) => createdBy);
}

async function problems(text: string): Promise<string[]> {
  try {
    await plan(text);
  } catch (error) {
    if (error instanceof BuildError) return error.failures.map(({ message }) => message);
    throw error;
  }
  throw new Error('it was planned');
}

describe('history lines are those of docker', () => {
  // Asked of Docker 28.5 (BuildKit).
  test.each([
    ['RUN echo $A', 'RUN |1 A=1 /bin/sh -c echo $A # buildkit'],
    ['RUN ["echo", "$A"]', 'RUN |1 A=1 echo $A # buildkit'],
    ['COPY --chown=bin a b /x/', 'COPY --chown=bin a b /x/ # buildkit'],
    ['WORKDIR x', 'WORKDIR /x'],
    ['WORKDIR //x/../y/', 'WORKDIR //x/../y/'],
    ['RUN <<E\n#!/bin/awk -f\nE', 'RUN |1 A=1 /bin/sh -c /dev/pipes/E # buildkit'],
    ['RUN <<-E\n\t#!/bin/sh\nE', 'RUN |1 A=1 /bin/sh -c #!/bin/sh\n # buildkit'],
    ['ENV X=1 Y="a b"', 'ENV X=1 Y=a b'],
    ['ENV X  a b', 'ENV X=a b'],
    ['CMD echo $X', 'CMD ["/bin/sh" "-c" "echo $X"]'],
    ['CMD ["a", "b"]', 'CMD ["a" "b"]'],
    ['ENTRYPOINT ["a"]', 'ENTRYPOINT ["a"]'],
    ['SHELL ["/bin/sh", "-ec"]', 'SHELL [/bin/sh -ec]'],
    ['VOLUME /d1 /d2', 'VOLUME [/d1 /d2]'],
    ['USER nobody', 'USER nobody'],
    ['LABEL a=b c="d e"', 'LABEL a=b c=d e'],
    ['STOPSIGNAL SIGTERM', 'STOPSIGNAL SIGTERM'],
    ['ARG B=2', 'ARG B=2'],
    ['MAINTAINER me', 'MAINTAINER me'],
  ])('%s', async (line, expected) => {
    expect((await history(`FROM base\nARG A=1\n${line}\n`)).slice(1)).toEqual([expected]);
  });

  test('EXPOSE is sorted by its words, ranges one by one', async () => {
    expect(await history('FROM base\nEXPOSE 8080 443/udp 80-81\n')).toEqual([
      'EXPOSE [443/udp 80/tcp 81/tcp 8080/tcp]',
    ]);
    expect(await history('FROM base\nENV L="2 1"\nEXPOSE 9 $L 9/tcp\n')).toContain(
      'EXPOSE [2/tcp 1/tcp 9/tcp 9/tcp]',
    );
    expect(await history('FROM base\nEXPOSE 80/ 81/UDP\n')).toEqual(['EXPOSE [80/tcp 81/udp]']);
  });
});

describe('configs', () => {
  test('of scratch', async () => {
    expect((await plan('FROM scratch\nCOPY a /\n')).config).toEqual({ Env: [PATH], WorkingDir: '/' });
  });

  test('inherit, and override', async () => {
    const base = {
      Env: ['A=base', 'B=base'],
      Cmd: ['base'],
      Entrypoint: ['base'],
      User: 'u',
      Labels: { l: 'base' },
    };
    const { config } = await plan('FROM base\nENV A=mine C=$B\nLABEL m=1\nENTRYPOINT ["mine"]\n', { base });
    expect(config).toMatchObject({
      Env: ['A=mine', 'B=base', PATH, 'C=base'],
      Entrypoint: ['mine'],
      User: 'u',
      Labels: { l: 'base', m: '1' },
    });
    expect(config.Cmd ?? []).toEqual([]); // an entry point takes the command of the base away
  });

  test('keep the command that the file itself gives', async () => {
    const { config } = await plan('FROM base\nCMD ["mine"]\nENTRYPOINT ["e"]\n', { base: { Cmd: ['base'] } });
    expect(config.Cmd).toEqual(['mine']);
  });

  test('keep an absolute working folder as it is written', async () => {
    expect((await plan('FROM base\nWORKDIR //a/../b/\n')).config.WorkingDir).toBe('//a/../b/');
    const { config, steps } = await plan('FROM base\nWORKDIR //a/../b/\nWORKDIR ./c/\nRUN x\n');
    expect(config.WorkingDir).toBe('/b/c');
    expect(steps).toMatchObject([{ path: '/b' }, { path: '/b/c' }, { cwd: '/b/c' }]);
  });

  test('have healthchecks in nanoseconds', async () => {
    const { config } = await plan('FROM base\nHEALTHCHECK --interval=1m30s --retries=2 CMD curl -f x\n');
    expect(config.Healthcheck).toMatchObject({
      Test: ['CMD-SHELL', 'curl -f x'],
      Interval: 90_000_000_000,
      Retries: 2,
    });
    expect((await plan('FROM base\nHEALTHCHECK NONE\n')).config.Healthcheck).toEqual({ Test: ['NONE'] });
  });
});

describe('variables', () => {
  test('--from without a value is the context', async () => {
    const { steps } = await plan('FROM base\nCOPY --from= a /\n');
    expect(steps).toMatchObject([{ from: { kind: 'context' } }]);
  });

  test('mean nothing to --exclude', async () => {
    const { steps } = await plan('FROM base\nENV X=x\nCOPY --exclude=$X --exclude=/y --exclude=!z a /\n');
    expect(steps).toMatchObject([{ excludes: ['$X', '!z'] }]);
  });

  test('args count from where they stand, in their stage', async () => {
    const text = 'ARG V=global\nFROM base AS one\nRUN a\nARG V\nRUN b\nFROM base AS two\nRUN c\n';
    const steps = async (target: string): Promise<unknown[]> =>
      (await plan(text, { target, args: { V: 'given' } })).steps.map(
        (step) => step.kind === 'run' && step.env,
      );
    expect(await steps('one')).toEqual([[PATH], [PATH, 'V=given']]);
    expect(await steps('two')).toEqual([[PATH]]);
  });

  test('an ENV wins over an ARG of the name', async () => {
    const { steps } = await plan('FROM base\nARG V=arg\nENV V=env\nRUN echo $V\n', { args: { V: 'given' } });
    expect(steps[0]).toMatchObject({ env: [PATH, 'V=env'] });
  });

  test('an instruction sees the environment before it', async () => {
    const { config } = await plan('FROM base\nENV A=1\nENV A=2 B=$A\n');
    expect(config.Env).toEqual([PATH, 'A=2', 'B=1']);
  });

  test('proxies are given and not in the key', async () => {
    const { steps } = await plan('FROM base\nRUN a\n', { args: { HTTP_PROXY: 'http://p' } });
    expect(steps[0]).toMatchObject({
      env: [PATH],
      unkeyedEnv: ['HTTP_PROXY=http://p', 'http_proxy=http://p'],
    });
  });

  test('an arg that no ARG takes is a warning', async () => {
    const events: BuildEvent[] = [];
    await plan('FROM base\n', { args: { NOBODY: '1' }, events });
    expect(events.map((event) => event.kind === 'warning' && event.message)).toEqual([
      expect.stringContaining('NOBODY'),
    ]);
  });
});

describe('stages', () => {
  test('only those are planned that the target needs', async () => {
    const asked: string[] = [];
    await plan('FROM base AS one\nFROM unused AS two\nFROM one\n', {
      resolveImage: (name) => {
        asked.push(name);
        return Promise.resolve(image());
      },
    });
    expect(asked).toEqual(['base']);
  });

  test('have their images looked for side by side, each once', async () => {
    const asked: string[] = [];
    const all = Promise.withResolvers<void>();
    const dockerfile =
      'FROM one AS a\nFROM two\nCOPY --from=a / /\nCOPY --from=three / /\nCOPY --from=three / /\nCOPY --from=four / /\n';
    await plan(dockerfile, {
      resolveImage: async (name) => {
        asked.push(name);
        if (asked.length === 4) all.resolve();
        await all.promise; // nobody waits for the first
        return image();
      },
    });
    expect(asked.toSorted()).toEqual(['four', 'one', 'three', 'two']);
  });

  test('are not targets by number, as with docker', async () => {
    await expect(plan('FROM base\nFROM base\n', { target: '0' })).rejects.toThrow(
      'Dockerfile has no stage "0"',
    );
  });

  test.each([
    ['FROM base\nCOPY --from=1 /a /b\n', '1'],
    ['FROM base AS x\nCOPY --from=x /a /b\n', 'x'],
    ['FROM ${NOTHING}\n', 'is empty'],
    ['FROM base\nRUN --network=bridge x\n', 'bridge'],
    ['FROM base\nEXPOSE 70000\n', '70000'],
    ['FROM base\nEXPOSE 1:2:3:4\n', '"1:2" is no IP address'],
    ['ARG P\nFROM --platform=$P base\n', 'is not a platform'],
    ['FROM base\nSTOPSIGNAL SIGNOTHING\n', 'SIGNOTHING'],
    ['FROM base\nENV A="${B:?is needed}"\n', 'is needed'],
    ['FROM base\nCOPY --chmod=9999 a b\n', '9999'],
  ])('%j is refused', async (text, part) => {
    expect((await problems(text)).join('\n')).toContain(part);
  });

  test('one that is called scratch is built on, as with docker', async () => {
    const { base, config } = await plan('FROM base AS scratch\nENV A=1\nFROM scratch\n');
    expect(base).toMatchObject({ kind: 'stage', stage: { title: 'scratch' } });
    expect(config.Env).toContain('A=1');
  });

  test('triggers of the base run first, and are not inherited', async () => {
    const base = { OnBuild: ['RUN from-base', 'LABEL a=b'] };
    const { history: lines, config } = await plan('FROM base\nRUN mine\n', { base });
    expect(lines.map(({ createdBy }) => createdBy)).toEqual([
      'RUN /bin/sh -c from-base # buildkit',
      'LABEL a=b',
      'RUN /bin/sh -c mine # buildkit',
    ]);
    expect(config.OnBuild).toBeUndefined();
  });
});

test('ports are those of the container, whatever stands before them', async () => {
  const { config } = await plan(
    'FROM --platform= base\nEXPOSE 1:2 127.0.0.1:3:4/udp :5:6 127.0.0.1::7 [::1]:8:9 ::1:10:11\n',
  );
  expect(new Set(Object.keys(config.ExposedPorts ?? {}))).toEqual(
    new Set(['11/tcp', '2/tcp', '4/udp', '6/tcp', '7/tcp', '9/tcp']),
  );
});

test('a target is planned for each platform, and what is wrong for all of them is told once', async () => {
  const events: BuildEvent[] = [];
  const build = AMD64;
  const platforms = [AMD64, { os: 'linux', architecture: 'arm64' }].map((target) => ({ target, build }));
  const text = `FROM --platform=$BUILDPLATFORM base AS build
from base
ARG TARGETARCH
ENV FOR=$TARGETARCH A=$NONE
ENTRYPOINT true
`;
  const told: string[][] = [];
  const onNames = (names: ReadonlySet<string>): number => told.push([...names]);
  const targets = await planAll(text, { events, platforms, args: { UNUSED: '1' }, onNames });
  expect(targets.map(({ platform }) => platform)).toEqual(platforms.map(({ target }) => target));
  expect(targets.map(({ stage }) => stage.config.Env?.at(-2))).toEqual(['FOR=amd64', 'FOR=arm64']);
  expect(events.map((event) => event.kind === 'warning' && (event.rule ?? event.message))).toEqual([
    'ConsistentInstructionCasing',
    'UndefinedVar',
    'JSONArgsRecommended',
    'the build arg UNUSED is used nowhere',
  ]);
  expect(told).toEqual([['build', 'base']]);
});

test('a chain of thousands of stages is planned', async () => {
  const stages = Array.from({ length: 10_000 }, (_, index) =>
    index === 0 ? 'FROM scratch AS s0\nCOPY a /\n' : `FROM s${index - 1} AS s${index}\nENV N=${index}\n`,
  );
  const target = await plan(stages.join(''));
  expect(target.config.Env).toContain('N=9999');
  expect(chainOf(target)).toHaveLength(10_000);
  expect(stagesOf(target).map(({ index }) => index)).toEqual(stages.map((_, index) => index));
});

test('all names of the Dockerfile are told, those of stages that the target does not need included', async () => {
  const told: string[] = [];
  const text = `ARG BASE=one
FROM $BASE AS Two
RUN --mount=from=three,target=/x --mount=type=cache,from=four,target=/y --mount=type=tmpfs,target=/z true
COPY --from=five /a /
ADD a /
ONBUILD COPY --from=six /a /
FROM scratch
`;
  await plan(text, { onNames: (names) => told.push(...names) });
  expect(told).toEqual(['two', 'one', 'three', 'four', 'five', 'six', 'scratch']);
});
