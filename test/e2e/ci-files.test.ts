import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import { PUBLISHED } from '../../scripts/build.ts';
import { bareEnvironment } from '../rig/caisson.ts';
import { HTPASSWD, startRegistry, type Registry } from '../rig/registry.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

/* The files of ci/ are run as a CI would: their scripts, in its shell, with its variables, on a registry with a password. */

const FILES = join(import.meta.dirname, '../../ci');
const APP = { Dockerfile: 'FROM busybox\nCOPY app /\nRUN wc -c /app > /size\n', app: 'app\n' };
const COMMIT = '0123456789012345678901234567890123456789';

const environment = z.record(z.string(), z.string());
const githubFile = z.object({
  env: environment,
  jobs: z.object({
    image: z.object({
      steps: z.array(
        z.object({
          uses: z.optional(z.string()),
          if: z.optional(z.string()),
          env: z.optional(environment),
          run: z.optional(z.string()),
        }),
      ),
    }),
  }),
});
const lines = z.array(z.string());
const gitlabFile = z.object({
  'build-image': z.object({
    image: z.string(),
    variables: environment,
    before_script: lines,
    script: lines,
    after_script: lines,
  }),
});

/** What a job says, and that it ended well. */
type Job = (variables: Readonly<Record<string, string>>) => Promise<string>;

/** Caisson as a dependency of the project, which npx takes before it asks npm. */
function addCaisson(world: World): void {
  const modules = join(world.context, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  symlinkSync(PUBLISHED, join(modules, 'caisson'));
  symlinkSync('../caisson/bin/caisson.js', join(modules, '.bin/caisson'));
  world.write({ '.dockerignore': 'node_modules\n' });
}

async function runScript(
  world: World,
  shell: readonly [string, ...string[]],
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const [program, ...args] = shell;
  const bare = bareEnvironment(world.store);
  const { all } = await execa(program, [...args, '-c', script], {
    cwd: world.context,
    env: { ...bare, PATH: `${dirname(process.execPath)}:${bare['PATH'] ?? ''}`, CI: 'true', ...env },
    extendEnv: false,
    all: true,
    stdin: 'ignore',
  });
  return all;
}

/** The job of GitHub's file: each step in a shell of its own, expressions put in, what $GITHUB_ENV got passed on. */
function githubJob(world: World, registry: string): Job {
  const { env, jobs } = githubFile.parse(parse(readFileSync(join(FILES, 'github-actions.yml'), 'utf8')));
  const secrets: Readonly<Record<string, string>> = {
    '${{ github.actor }}': 'user',
    '${{ secrets.GITHUB_TOKEN }}': 'secret:word',
  };
  return async (variables) => {
    const passedOn = join(world.folder, 'github-env');
    writeFileSync(passedOn, '');
    let said = '';
    for (const step of jobs.image.steps) {
      if (step.run === undefined) continue;
      if (step.if !== undefined && step.if !== `github.event_name == '${variables['GITHUB_EVENT_NAME']}'`)
        continue;
      const own = Object.entries(step.env ?? {}).map(([name, value]) => {
        const secret = secrets[value];
        if (secret === undefined) throw new Error(`the test does not know ${value}`);
        return [name, secret] as const;
      });
      const earlier = [...readFileSync(passedOn, 'utf8').matchAll(/^(\w+)=(.*)$/gm)].map(
        ([, name = '', value = '']) => [name, value] as const,
      );
      said += await runScript(world, ['bash', '--noprofile', '--norc', '-eo', 'pipefail'], step.run, {
        ...env,
        GITHUB_ACTIONS: 'true',
        GITHUB_ENV: passedOn,
        GITHUB_REPOSITORY: 'Some/App',
        GITHUB_SHA: COMMIT,
        RUNNER_TEMP: world.folder,
        ...Object.fromEntries([...own, ...earlier]),
        ...variables,
        REGISTRY: registry,
      });
    }
    return said;
  };
}

/** The job of GitLab's file: all lines in one shell, which ends at the first that fails. */
function gitlabJob(world: World, registry: string): Job {
  const { 'build-image': job } = gitlabFile.parse(parse(readFileSync(join(FILES, 'gitlab-ci.yml'), 'utf8')));
  return async (variables) => {
    const script = [...job.before_script, ...job.script].join('\n');
    const builds = { CI_BUILDS_DIR: world.folder };
    const known = new Map<string, string>(Object.entries(builds));
    const own = Object.entries(job.variables).map(
      ([name, value]) =>
        [name, value.replaceAll(/\$(\w+)/g, (_all, other: string) => known.get(other) ?? '')] as const,
    );
    return runScript(world, ['sh', '-e'], script, {
      ...builds,
      ...Object.fromEntries(own),
      GITLAB_CI: 'true',
      CI_REGISTRY: registry,
      CI_REGISTRY_IMAGE: `${registry}/some/app`,
      CI_REGISTRY_USER: 'user',
      CI_REGISTRY_PASSWORD: 'secret:word',
      CI_COMMIT_SHA: COMMIT,
      CI_COMMIT_BRANCH: 'main',
      CI_DEFAULT_BRANCH: 'main',
      ...variables,
    });
  };
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'sudo'))('a file of ci/', () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry(join(import.meta.dirname, '../../.caisson/test/registries'), {
      htpasswd: HTPASSWD,
    });
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  /** The tags of the image, as its registry tells them. */
  const tags = async (): Promise<string[]> => {
    const authorization = `Basic ${Buffer.from('user:secret:word').toString('base64')}`;
    const response = await fetch(`http://${registry.host}/v2/some/app/tags/list`, {
      headers: { authorization },
    });
    const list = z.object({ tags: z.optional(lines) }).parse(await response.json());
    return (list.tags ?? []).toSorted();
  };

  test.for([
    ['github-actions.yml', githubJob, { GITHUB_EVENT_NAME: 'push' }],
    ['gitlab-ci.yml', gitlabJob, {}],
  ] as const)('%s builds, pushes and finds its cache again', async ([, jobOf, variables], { world }) => {
    world.write(APP);
    addCaisson(world);
    const job = jobOf(world, registry.host);
    expect(await job(variables)).toMatch(/\bran\b/);
    expect(await tags()).toEqual([COMMIT, 'cache', 'latest']);
    // The next job has a machine of its own.
    await execa('rm', ['-rf', world.store, join(world.folder, '.caisson')]);
    expect(await job(variables)).toContain('2 steps cached, 0 ran');
  });

  test('github-actions.yml sends nothing of a pull request', async ({ world }) => {
    world.write(APP);
    addCaisson(world);
    const before = registry.log().length;
    expect(await githubJob(world, registry.host)({ GITHUB_EVENT_NAME: 'pull_request' })).toMatch(/\bran\b/);
    expect(registry.log().slice(before)).not.toMatch(/"(?:PUT|POST|PATCH) /);
  });
});
