import { relative, resolve, sep } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { Command } from 'commander';
import type { IgnoreRules } from '@caisson/builder';
import { helpNotes } from '../help-notes.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { exitOf } from '../failure-exit.ts';
import { buildFailuresText } from '../failure-text.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

interface Flags {
  readonly context: string;
  readonly file?: string;
  readonly verbose?: boolean;
  readonly nonMatching?: boolean;
  readonly stdin?: boolean;
}

/** `caisson check-ignore` */
export function checkIgnoreCommand({ terminal, finish }: CommandContext): Command {
  return new Command('check-ignore')
    .summary('say which files an ignore file hides from a build')
    .description(
      'Prints those of the paths that an ignore file hides from a build, as git check-ignore does.',
    )
    .argument('[path...]', 'paths in the context, seen from the current folder; they need not exist')
    .option('-v, --verbose', 'print the rule that decides, too: FILE:LINE:RULE, a tab, the path')
    .option('-n, --non-matching', 'with -v: print the paths, too, that no rule speaks of')
    .option('-f, --file <path>', 'the Dockerfile, beside which an ignore file of its own may lie')
    .option('--context <folder>', 'the folder of the build context', '.')
    .option('--stdin', 'read the paths from the standard input, one a line')
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['caisson check-ignore -v secrets/key.pem', 'which rule hides it, or takes it in again'],
          ['git ls-files | caisson check-ignore --stdin', 'what of a checkout is hidden'],
        ],
        text: ['Exit codes: 0 a path is hidden; 1 none is, or the ignore file is wrong; 2 wrong usage.'],
      }),
    )
    .action(async (paths: readonly string[], flags: Flags) => {
      finish(await checkIgnore(paths, flags, terminal));
    });
}

async function checkIgnore(given: readonly string[], flags: Flags, terminal: Terminal): Promise<number> {
  if (flags.nonMatching === true && flags.verbose !== true)
    throw new UsageError('--non-matching needs --verbose');
  if (flags.stdin === true && given.length > 0)
    throw new UsageError('paths come as arguments or on the standard input, not both');
  const paths = flags.stdin === true ? linesOf(await textOf(process.stdin)) : given;
  if (flags.stdin !== true && paths.length === 0)
    throw new UsageError('no path is given', { expected: 'PATH..., or --stdin' });
  const context = resolve(terminal.cwd, flags.context);
  const { readIgnoreRules } = await import('@caisson/builder');
  const rules = readIgnoreRules(
    context,
    flags.file === undefined ? undefined : resolve(terminal.cwd, flags.file),
  );
  if (!rules.ok) {
    terminal.error(buildFailuresText(rules.error, terminal.hasColor));
    return exitOf(rules.error);
  }
  const inContext = paths.map((path) => pathInContext(context, path, terminal.cwd));
  const hidden = inContext.filter((path) => rules.value.ignores(path));
  terminal.out(paths.map((path, index) => lineOf(rules.value, path, inContext[index] ?? '', flags)).join(''));
  return hidden.length > 0 ? EXIT.ok : EXIT.failed;
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** A path as ignore rules see it: from the context, with slashes. */
function pathInContext(context: string, path: string, cwd: string): string {
  const inside = relative(context, resolve(cwd, path));
  if (inside === '..' || inside.startsWith(`..${sep}`)) {
    throw new UsageError(`${path} is not in the context ${context}`, {
      hint: '--context names the folder of the context',
    });
  }
  return inside;
}

function lineOf(rules: IgnoreRules, path: string, inside: string, flags: Flags): string {
  if (flags.verbose !== true) return rules.ignores(inside) ? `${path}\n` : '';
  const rule = rules.explain(inside);
  if (rule !== undefined) return `${rules.path}:${rule.line}:${rule.text}\t${path}\n`;
  return flags.nonMatching === true ? `::\t${path}\n` : '';
}
