import type { Command, Option } from 'commander';

const PULL = [['--pull', '--pull=always']] as const;
const BUILD = [...PULL, ['--run', '--run='], ['--poll', '--poll=1']] as const;

/**
 * By command: what a flag with an optional value means where it stands alone. As with docker, `--pull` alone is a switch, and
 * its value comes behind `=`: an optional value would take the context of `build --pull .`.
 */
const ALONE: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ['build', new Map<string, string>(BUILD)],
  ['watch', new Map<string, string>(BUILD)],
  ['check', new Map<string, string>(PULL)],
  ['plan', new Map<string, string>(PULL)],
]);

/** What comes after the name of these may be options of another program. */
const RUNS_OTHERS: ReadonlySet<string> = new Set(['run', 'unshare']);

/** What docker takes for the value of a switch. @see https://pkg.go.dev/strconv#ParseBool */
const VALUES: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'true'].map((word) => [word, true] as const),
  ...['0', 'f', 'false'].map((word) => [word, false] as const),
]);

/** Says of the switches of a command line in one way what docker lets people say in several: `--pull`, `--no-cache=false`. */
export function withPlainSwitches(args: readonly string[], { commands }: Command): string[] {
  const name = args.find((arg, index) => !arg.startsWith('-') && args[index - 1] !== '--root') ?? '';
  const command = commands.find((each) => each.name() === name);
  const alone = ALONE.get(name);
  const words: string[] = [];
  let isFlag = command !== undefined && !RUNS_OTHERS.has(name);
  for (const arg of args) {
    if (arg === '--') isFlag = false;
    const given = isFlag ? valueOf(arg, command?.options ?? []) : undefined;
    if (given === undefined) words.push(alone?.get(arg) ?? arg);
    else if (given.value) words.push(given.flag);
    else words.splice(0, words.length, ...words.filter((word) => !isOf(word, given.option))); // the last one counts
  }
  return words;
}

/** What a switch is set to: `--push=true`; undefined for anything else. */
function valueOf(
  arg: string,
  options: readonly Option[],
): { readonly option: Option; readonly flag: string; readonly value: boolean } | undefined {
  const [, flag = '', word = ''] = /^(--?[^=]+)=(.*)$/.exec(arg) ?? [];
  const option = options.find((each) => isOf(flag, each));
  const value = VALUES.get(word.toLowerCase());
  if (option === undefined || value === undefined || option.required || option.optional) return undefined;
  return { option, flag, value };
}

function isOf(word: string, { long, short }: Option): boolean {
  return word !== '' && (word === long || word === short);
}
