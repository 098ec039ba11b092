import { posix } from 'node:path';
import { flagValue } from '../../flags.ts';
import { hasWildcard } from '../../glob.ts';
import type { IgnoreFile } from '../lint-options.ts';
import { details, type Rule } from '../rule.ts';

export const COPY_IGNORED_FILE: Rule = {
  description: 'Attempting to Copy file that is excluded by .dockerignore',
  why: 'What the ignore file excludes is not part of the build context: COPY does not find it. A pattern of the ignore file may take files in again (`!src`); what that can reach is not reported.',
  wrong: '# where .dockerignore has a line: *.md\nFROM scratch\nCOPY README.md /\n',
  right: '# where .dockerignore has one more line: !README.md\nFROM scratch\nCOPY README.md /\n',
  *check({ stages, ignore }) {
    if (ignore === undefined) return;
    for (const { instruction, scope } of stages.flatMap(({ instructions }) => instructions)) {
      if (instruction.kind !== 'copy' && instruction.kind !== 'add') continue;
      if (flagValue(instruction.flags, 'from') !== undefined) continue;
      for (const source of instruction.sources) {
        if (source.kind === 'heredoc') continue;
        const text = scope.expand(source.word.text);
        if (text === undefined || isRemote(text) || !isIgnored(ignore, pathOf(text))) continue;
        const verb = instruction.kind === 'copy' ? 'Copy' : 'Add';
        yield {
          range: source.word.range,
          message: `Attempting to ${verb} file ${JSON.stringify(text)} that is excluded by .dockerignore`,
          ...details({ hint: hintOf(ignore, pathOf(text)) }),
        };
      }
    }
  },
};

function isRemote(text: string): boolean {
  return /^(?:https?|git|ssh):\/\/|^git@/.test(text);
}

/** A source as it is seen from the root of the context. */
function pathOf(text: string): string {
  const path = posix.join('/', text).replace(/^\/|\/$/g, '');
  return path === '' ? '.' : path;
}

/** Whether nothing of a source can be in the context. */
function isIgnored(ignore: IgnoreFile, path: string): boolean {
  return ignore.ignores(path) && !ignore.mayContainIncluded(hasWildcard(path) ? '.' : path);
}

function hintOf(ignore: IgnoreFile, path: string): string | undefined {
  const rule = ignore.explain(path);
  return rule === undefined ? undefined : `line ${rule.line} of ${ignore.path} excludes it: ${rule.text}`;
}
