/*
 * npm run compare-lint: asks docker what it says of each case of fixtures/lint, and prints where that is something else
 * than NAME.warnings has: rule, line and message. PEER_DOCKER is the command (docker), and must see /tmp.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import * as z from 'zod/mini';

const CASES = fileURLToPath(new URL('../fixtures/lint', import.meta.url));
const docker = process.env['PEER_DOCKER'] ?? 'docker';

const Settings = z.object({
  buildArgs: z._default(z.record(z.string(), z.string()), {}),
  target: z.optional(z.string()),
  dockerignore: z.optional(z.string()),
  bases: z._default(
    z.record(
      z.string(),
      z.object({
        env: z._default(z.record(z.string(), z.string()), {}),
        shell: z.optional(z.array(z.string())),
      }),
    ),
    {},
  ),
});

const Answer = z.object({
  warnings: z.nullable(
    z.array(
      z.object({
        ruleName: z.string(),
        detail: z.string(),
        location: z.object({ ranges: z.array(z.object({ start: z.object({ line: z.number() }) })) }),
      }),
    ),
  ),
  buildError: z.optional(z.object({ message: z.string() })),
});

/** Something that was said; docker speaks of all lines of an instruction. */
interface Said {
  readonly text: string;
  readonly lines: readonly number[];
}

async function askDocker(path: string): Promise<Said[]> {
  const settings = Settings.parse(
    existsSync(`${path}.json`) ? JSON.parse(readFileSync(`${path}.json`, 'utf8')) : {},
  );
  const folder = mkdtempSync('/tmp/compare-lint-');
  try {
    for (const [written, { env, shell }] of Object.entries(settings.bases)) {
      const lines = Object.entries(env).map(([key, value]) => `ENV ${key}=${value}\n`);
      const text = `FROM scratch\nLABEL of=lint\n${lines.join('')}${shell === undefined ? '' : `SHELL ${JSON.stringify(shell)}\n`}`;
      mkdirSync(join(folder, 'base'), { recursive: true });
      writeFileSync(join(folder, 'base', 'Dockerfile'), text);
      const name = /^[a-z-]+/.exec(written)?.[0] ?? written;
      await execa(docker, ['build', '-q', '-t', name, join(folder, 'base')]);
    }
    writeFileSync(join(folder, 'Dockerfile'), readFileSync(`${path}.Dockerfile`));
    if (settings.dockerignore !== undefined)
      writeFileSync(join(folder, '.dockerignore'), settings.dockerignore);
    const buildArgs = Object.entries(settings.buildArgs).map(([key, value]) => `--build-arg=${key}=${value}`);
    const target = settings.target === undefined ? [] : [`--target=${settings.target}`];
    const args = ['build', '--call=check,format=json', ...buildArgs, ...target, folder];
    const { stdout, stderr } = await execa(docker, args, { reject: false });
    if (!stdout.startsWith('{')) return [{ text: `error: ${stderr.trim().split('\n').at(-1)}`, lines: [] }];
    const { warnings, buildError } = Answer.parse(JSON.parse(stdout));
    return [
      ...(warnings ?? []).map(({ ruleName, detail, location }) => {
        const text = `${ruleName}: ${detail.replace(/ \(did you mean .*\)$/, '')}`;
        return { text, lines: location.ranges.map(({ start }) => start.line) };
      }),
      ...(buildError === undefined ? [] : [{ text: `error: ${buildError.message}`, lines: [] }]),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the file of warnings has. */
function readWarnings(path: string): Said[] {
  const text = readFileSync(`${path}.warnings`, 'utf8');
  return [...text.matchAll(/^(\d+) (error: )?(\S+) .*\n {4}(.*)$/gm)].map(
    ([, line = '', error, rule = '', message = '']) =>
      error === undefined
        ? { text: `${rule}: ${message}`, lines: [Number(line)] }
        : { text: `error: ${message}`, lines: [] },
  );
}

/** What is in a list and not in another, each as often as it is there more often. */
function surplus(list: readonly Said[], other: readonly Said[]): Said[] {
  const rest = [...other];
  return list.filter((each) => {
    const at = rest.findIndex((said) => isSame(said, each));
    if (at !== -1) rest.splice(at, 1);
    return at === -1;
  });
}

function isSame(a: Said, b: Said): boolean {
  return a.text === b.text && (a.lines.length === 0 || a.lines.some((line) => b.lines.includes(line)));
}

const shown = ({ text, lines }: Said): string =>
  `${lines[0] === undefined ? '' : `line ${lines[0]}: `}${text}`;

let same = 0;
const names = readdirSync(CASES, { recursive: true, encoding: 'utf8' })
  .filter((each) => each.endsWith('.Dockerfile'))
  .map((each) => each.slice(0, -'.Dockerfile'.length))
  .toSorted();
for (const name of names) {
  const [theirs, ours] = [await askDocker(join(CASES, name)), readWarnings(join(CASES, name))];
  const differences = [
    ...surplus(theirs, ours).map((each) => `  docker only: ${shown(each)}`),
    ...surplus(ours, theirs).map((each) => `  ours only:   ${shown(each)}`),
  ];
  if (differences.length === 0) same++;
  else process.stdout.write(`${name}\n${differences.join('\n')}\n`);
}
process.stdout.write(`${same} of ${names.length} cases are as docker has them\n`);
