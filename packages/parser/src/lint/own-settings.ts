import type { Dockerfile, Instruction } from '../ast.ts';
import type { Diagnostic } from '../diagnostic.ts';
import type { Range } from '../source-text.ts';
import { DEFAULT_SETTINGS, diagnosticOf, readCheckSettings, type CheckSettings } from './check-settings.ts';
import { commentsAbove, isOwnSettings } from './comments-above.ts';
import { instructionsOf } from './instructions-of.ts';

/** The settings that comments right above single instructions make: `# check=skip=RULE // reason`. */
export class OwnSettings {
  readonly diagnostics: Diagnostic[] = [];
  readonly #instructions: readonly Instruction[];
  readonly #settings: readonly CheckSettings[];

  constructor(dockerfile: Dockerfile) {
    this.#instructions = instructionsOf(dockerfile);
    this.#settings = this.#instructions.map((instruction) => this.#read(dockerfile, instruction));
  }

  /** Those of the instruction that a place belongs to. */
  at({ start }: Range): CheckSettings {
    let low = 0;
    let high = this.#instructions.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#instructions[middle]?.range.start.offset ?? 0) <= start.offset) low = middle;
      else high = middle - 1;
    }
    return this.#settings[low] ?? DEFAULT_SETTINGS;
  }

  #read(dockerfile: Dockerfile, instruction: Instruction): CheckSettings {
    const comment = commentsAbove(dockerfile, instruction).findLast(({ text }) => isOwnSettings(text));
    if (comment === undefined) return DEFAULT_SETTINGS;
    const lead = /^[^=]*=\s*/.exec(comment.text)?.[0].length ?? 0;
    const { settings, problems } = readCheckSettings(comment.text.slice(lead), ['skip', 'experimental']);
    const { source } = dockerfile;
    const at =
      comment.range.start.offset +
      source.line(comment.range.start.line).trimStart().indexOf(comment.text) +
      lead;
    for (const problem of problems) {
      const range = source.range(at + problem.start, at + problem.end);
      // An ordinary comment to older docker: it must not stop a build.
      this.diagnostics.push(diagnosticOf({ ...problem, severity: 'warning' }, range));
    }
    return settings;
  }
}
