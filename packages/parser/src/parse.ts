import type { ArgInstruction, Dockerfile, FromInstruction, Instruction, Stage } from './ast.ts';
import { errorAt, type Diagnostic, type DiagnosticCode } from './diagnostic.ts';
import { readDirectives, type EscapeCharacter } from './directives.ts';
import { checkFlags, readFlags } from './flags.ts';
import { findHeredocs, readHeredocs, type Heredoc } from './heredoc.ts';
import type { InstructionText } from './instruction-text.ts';
import { INSTRUCTION_READERS, isInstructionName } from './instructions/index.ts';
import { ONBUILD_FORBIDS } from './instructions/onbuild.ts';
import { parseJsonForm } from './json-form.ts';
import { findLongLines } from './line-length.ts';
import { isComment, readLogicalLine, type LogicalLine } from './logical-line.ts';
import { recogniseInstructions, type Recognised } from './recognise.ts';
import { SourceText } from './source-text.ts';
import { suggest } from './suggest.ts';
import { plainWords, trimmed } from './words.ts';

/** What was read of a Dockerfile. */
export interface ParseResult {
  readonly dockerfile: Dockerfile;
  /** In the order of the file. It can be built only if none is an error. */
  readonly diagnostics: readonly Diagnostic[];
  /**
   * The instructions that an error is in, by their names in upper case: those that they were most likely meant to have.
   * A Dockerfile may have less of them than was written.
   */
  readonly faulty: ReadonlySet<string>;
}

/** How to parse a Dockerfile. */
export interface ParseOptions {
  /** What to call the file in messages: `Dockerfile` unless said otherwise. */
  readonly path?: string;
  /** What counts instead of the directive `syntax`: the build arg BUILDKIT_SYNTAX. */
  readonly syntax?: string;
}

/** What docker refuses in a trigger as anywhere. */
const REFUSED_IN_TRIGGERS: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>([
  'invalid-json',
  'invalid-key-value',
]);

/** Instructions that have flags. Behind any other, too, what begins with two dashes is one, and wrong. */
const WITH_FLAGS = new Set(['FROM', 'RUN', 'COPY', 'ADD', 'HEALTHCHECK']);

/** Instructions that heredocs may follow. */
const WITH_HEREDOCS = new Set(['RUN', 'COPY', 'ADD']);

/**
 * Parses a Dockerfile: text in, stages and everything that is wrong with it out. It never throws, whatever the text,
 * and does not stop at the first error.
 * @param text the file; a byte order mark and Windows line ends are understood
 * @see https://docs.docker.com/reference/dockerfile/
 */
export function parseDockerfile(text: string, options: ParseOptions = {}): ParseResult {
  const source = new SourceText(text);
  const { directives, escape, firstLine, isOtherLanguage, diagnostics } = readDirectives(
    source,
    options.syntax,
  );
  const known = { path: options.path ?? 'Dockerfile', source, directives, escape };
  if (isOtherLanguage)
    return { dockerfile: { ...known, globalArgs: [], stages: [] }, diagnostics, faulty: new Set() };
  const reader = new FileReader(source, escape, [...diagnostics, ...findLongLines(source)]);
  const instructions = reader.read(firstLine);
  const { globalArgs, stages } = reader.stages(instructions);
  return {
    dockerfile: { ...known, globalArgs, stages },
    diagnostics: reader.diagnostics.toSorted((a, b) => a.range.start.offset - b.range.start.offset),
    faulty: reader.faulty,
  };
}

/**
 * Parses an instruction that an image keeps for those who build on it (ONBUILD).
 * @param trigger the text from the image's config: one instruction, heredocs included
 */
export function parseTrigger(trigger: string): {
  readonly instruction: Instruction | undefined;
  readonly source: SourceText;
  readonly diagnostics: readonly Diagnostic[];
} {
  const source = new SourceText(trigger);
  const reader = new FileReader(source, '\\', []);
  const [instruction] = reader.read(1);
  if (instruction?.kind === 'from' || instruction?.kind === 'maintainer' || instruction?.kind === 'onbuild') {
    reader.diagnostics.push(
      errorAt(instruction.range, 'invalid-onbuild', `ONBUILD cannot hold ${instruction.kind.toUpperCase()}`),
    );
  }
  return { instruction, source, diagnostics: reader.diagnostics };
}

interface Written {
  readonly line: LogicalLine;
  readonly heredocs: readonly Heredoc[];
  /** The last physical line, heredocs included. */
  readonly lastLine: number;
}

class FileReader {
  readonly diagnostics: Diagnostic[];
  /** The names of instructions that an error is in. */
  readonly faulty = new Set<string>();
  readonly #source: SourceText;
  readonly #escape: EscapeCharacter;
  readonly #suggestions = new Map<string, string | undefined>();
  /** The line of the first FROM that could not be read: what comes after it is not without a FROM. */
  #brokenFrom = Infinity;

  constructor(source: SourceText, escape: EscapeCharacter, diagnostics: Diagnostic[]) {
    this.#source = source;
    this.#escape = escape;
    this.diagnostics = diagnostics;
  }

  read(firstLine: number): Instruction[] {
    const written = this.#splitLines(firstLine);
    const recognised = recogniseInstructions(
      written.map(({ line }) => line),
      this.#escape,
    );
    return written.flatMap((each, index) => {
      const found = recognised[index];
      const instruction = found === undefined ? undefined : this.#instruction(each, found);
      return instruction === undefined ? [] : [instruction];
    });
  }

  #splitLines(firstLine: number): Written[] {
    const written: Written[] = [];
    for (let number = firstLine; number <= this.#source.lineCount;) {
      const text = this.#source.line(number).replace(/^\uFEFF/, '');
      if (text.trim() === '' || isComment(text)) {
        number++;
        continue;
      }
      const line = readLogicalLine(this.#source, number, this.#escape);
      const starts = line.text.trim() === '' ? [] : this.#heredocStarts(line);
      const { heredocs, nextLine, diagnostics } = readHeredocs(this.#source, starts, line.lastLine + 1);
      this.diagnostics.push(...diagnostics);
      if (line.text.trim() !== '') written.push({ line, heredocs, lastLine: nextLine - 1 });
      number = nextLine;
    }
    return written;
  }

  /** The heredocs of a line: only some instructions have any, and none in the exec form. */
  #heredocStarts(line: LogicalLine): Omit<Heredoc, 'body'>[] {
    if (!line.text.includes('<<')) return [];
    const [, name = '', trigger = ''] = /^\s*(\S+)(?:\s+(\S+))?/.exec(line.text) ?? [];
    const isTrigger = name.toUpperCase() === 'ONBUILD';
    if (!WITH_HEREDOCS.has((isTrigger ? trigger : name).toUpperCase())) return [];
    const start = /^\s*\S+/.exec(line.text)?.[0].length ?? 0;
    const end = line.text.length;
    const args = isTrigger ? start + (/^\s*\S+/.exec(line.text.slice(start))?.[0].length ?? 0) : start;
    const { rest } = readFlags(line, { start: args, end }, this.#escape);
    const list = parseJsonForm(line.text.slice(rest.start, rest.end));
    return list.ok && list.value === undefined ? findHeredocs(line, { start: 0, end }) : [];
  }

  #instruction(
    { line, heredocs, lastLine }: Written,
    { keyword, args }: Recognised,
  ): Instruction | undefined {
    const word = {
      text: line.text.slice(keyword.start, keyword.end),
      range: line.range(keyword.start, keyword.end),
    };
    const name = word.text.toUpperCase();
    const whole = line.whole;
    const end = heredocs.length === 0 ? whole.end : this.#source.lineRange(lastLine).end;
    const range = { start: whole.start, end };
    const { flags, rest } = readFlags(line, args, this.#escape);
    const text: InstructionText = {
      line,
      keyword: word,
      name,
      flags,
      args: trimmed(line, rest),
      escape: this.#escape,
      heredocs,
      range,
      original: this.#source.text.slice(range.start.offset, range.end.offset),
      report: (diagnostic) => {
        this.diagnostics.push(diagnostic);
        if (diagnostic.severity === 'error')
          this.faulty.add(isInstructionName(name) ? name : (this.#suggestion(name) ?? name));
      },
    };
    if (name === 'ONBUILD') this.#checkTrigger(text);
    const instruction = this.#read(text);
    if (instruction === undefined && (name === 'FROM' || this.#suggestion(name) === 'FROM'))
      this.#brokenFrom = Math.min(this.#brokenFrom, range.start.line);
    return instruction;
  }

  /** The instruction that was meant. What is no Dockerfile may say one word a hundred thousand times. */
  #suggestion(name: string): string | undefined {
    if (this.#suggestions.has(name)) return this.#suggestions.get(name);
    const near = suggest(name, Object.keys(INSTRUCTION_READERS));
    this.#suggestions.set(name, near);
    return near;
  }

  /** Reads an instruction whose parts are known. */
  #read(text: InstructionText): Instruction | undefined {
    const { name, keyword, flags, report } = text;
    if (isInstructionName(name)) {
      if (!WITH_FLAGS.has(name)) checkFlags(name, flags, {}).forEach(report);
      return INSTRUCTION_READERS[name](text);
    }
    const suggestion = this.#suggestion(name);
    const message = `there is no instruction ${JSON.stringify(keyword.text)}`;
    const hint = hintOfUnknown(name, suggestion);
    report(
      errorAt(keyword.range, 'unknown-instruction', message, {
        suggestion,
        ...(hint === undefined ? {} : { hint }),
      }),
    );
    return undefined;
  }

  /**
   * Looks at the instruction that ONBUILD keeps. Docker refuses some of what is wrong with it now; the rest fails when
   * somebody builds on the image, which is worth a warning.
   */
  #checkTrigger(text: InstructionText): void {
    const { line, args } = text;
    const [keyword] = plainWords(line, args);
    if (keyword === undefined || ONBUILD_FORBIDS.has(keyword.text.toUpperCase())) return;
    const behind = { start: args.start + keyword.text.length, end: args.end };
    const { flags, rest } = readFlags(line, behind, this.#escape);
    this.#read({
      ...text,
      keyword,
      name: keyword.text.toUpperCase(),
      flags,
      args: trimmed(line, rest),
      report: (diagnostic) => {
        if (REFUSED_IN_TRIGGERS.has(diagnostic.code)) return text.report(diagnostic);
        const hint = 'the image is built, but nothing can be built FROM it';
        return text.report({ ...diagnostic, severity: 'warning', hint });
      },
    });
  }

  /** Divides instructions into stages. */
  stages(instructions: readonly Instruction[]): { globalArgs: ArgInstruction[]; stages: Stage[] } {
    const globalArgs: ArgInstruction[] = [];
    const stages: {
      index: number;
      name: string | undefined;
      from: FromInstruction;
      instructions: Instruction[];
    }[] = [];
    for (const instruction of instructions) {
      if (instruction.kind === 'from') {
        const name = instruction.stageName?.text.toLowerCase();
        stages.push({ index: stages.length, name, from: instruction, instructions: [] });
        continue;
      }
      const stage = stages.at(-1);
      if (stage !== undefined) stage.instructions.push(instruction);
      else if (instruction.kind === 'arg') globalArgs.push(instruction);
      else if (instruction.range.start.line < this.#brokenFrom) {
        const message = `${instruction.keyword.text.toUpperCase()} comes before the first FROM`;
        this.diagnostics.push(
          errorAt(instruction.keyword.range, 'missing-from', message, {
            expected: 'FROM image, or ARG, first',
          }),
        );
      }
    }
    if (instructions.length === 0 && this.diagnostics.every(({ severity }) => severity !== 'error')) {
      this.diagnostics.push(
        errorAt(this.#source.range(0, 0), 'empty-file', 'the file has no instructions', {
          expected: 'FROM image',
        }),
      );
    } else if (stages.length === 0 && this.diagnostics.every(({ severity }) => severity !== 'error')) {
      const at = instructions.at(-1)?.range ?? this.#source.range(0, 0);
      this.diagnostics.push(errorAt(at, 'missing-from', 'the file has no FROM', { expected: 'FROM image' }));
    }
    return { globalArgs, stages };
  }
}

/** What may have gone wrong where something else stands than the name of an instruction. */
function hintOfUnknown(name: string, suggestion: string | undefined): string | undefined {
  const [first = '', ...others] = name.split(/[^\S\t\v\f\r ]/u);
  if (others.length > 0 && isInstructionName(first)) {
    const blank = name.codePointAt(first.length)?.toString(16).toUpperCase().padStart(4, '0');
    return `the blank behind ${first} is U+${blank}; type a plain one`;
  }
  if (suggestion !== undefined) return undefined;
  return 'the line above goes on in this one only if it ends in the escape character';
}
