import type { CheckedDockerfile, CheckRequest, Failure, UncheckedBase } from '@caisson/builder';
import { dockerPage, isRuleName, RULES, type LintWarning, type Range } from '@caisson/parser';
import { EXIT } from './exit-codes.ts';
import { exitOf } from './failure-exit.ts';
import { buildFailuresText, warningText } from './failure-text.ts';
import { onInterrupt } from './interrupt.ts';
import { inertFor } from './output/ci/ci-format.ts';
import { counted } from './output/format.ts';
import { printJson } from './output/print.ts';
import type { Terminal } from './terminal.ts';

/** Checks a Dockerfile and shows what was found. @returns the exit code: not 0 where there is anything to tell */
export async function showCheck(
  request: CheckRequest,
  format: 'text' | 'json',
  terminal: Terminal,
): Promise<number> {
  const { check } = await import('@caisson/builder');
  using interrupt = onInterrupt();
  const checked = await check({ ...request, signal: interrupt.signal }, (event) => {
    if (event.kind === 'warning') terminal.error(warningText(event, terminal.hasColor));
  });
  if (interrupt.exitCode !== undefined) return interrupt.exitCode;
  if (!checked.ok) {
    terminal.error(buildFailuresText(checked.error, terminal.hasColor));
    return exitOf(checked.error);
  }
  if (format === 'json') printJson(terminal, asJson(checked.value));
  else showText(checked.value, inertFor(terminal));
  const { warnings, failures, unchecked } = checked.value;
  return warnings.length + failures.length + unchecked.length === 0 ? EXIT.ok : EXIT.failed;
}

/** Warnings are what was asked for: the standard output. Why something could not be checked is not. */
function showText(checked: CheckedDockerfile, terminal: Pick<Terminal, 'out' | 'error' | 'hasColor'>): void {
  const { path, source, warnings, failures, unchecked } = checked;
  for (const { code, range, ...said } of warnings) {
    const rule = isRuleName(code) ? { rule: code } : {};
    terminal.out(`${warningText({ ...said, ...rule, place: { path, source, range } }, false)}\n`);
  }
  terminal.error(buildFailuresText(failures, terminal.hasColor));
  for (const { message, place, rules } of unchecked) {
    const hint = rules.length === 0 ? {} : { hint: `not checked for what builds on it: ${rules.join(', ')}` };
    const at = place === undefined ? {} : { place };
    terminal.error(warningText({ message, ...at, ...hint }, terminal.hasColor));
  }
  terminal.out(summaryOf(checked));
}

/** As docker says it, where docker has something to say. */
function summaryOf({ warnings, failures, unchecked }: CheckedDockerfile): string {
  if (failures.length > 0)
    return `Check failed: ${counted(failures.length, 'error')}, ${counted(warnings.length, 'warning')}.\n`;
  if (unchecked.length > 0)
    return `Check incomplete: ${counted(warnings.length, 'warning')}, ${counted(unchecked.length, 'base image')} not looked at.\n`;
  if (warnings.length === 0) return 'Check complete, no warnings found.\n';
  return `Check complete, ${counted(warnings.length, 'warning')} ${warnings.length === 1 ? 'has' : 'have'} been found!\n`;
}

/** As `docker build --call=check,format=json` has it; with columns, all errors, and what was not checked besides. */
function asJson({ path, source, warnings, failures, unchecked }: CheckedDockerfile): object {
  const [first] = failures;
  return {
    warnings: warnings.map(warningJson),
    sources: [{ filename: path, data: Buffer.from(source.text).toString('base64'), language: 'Dockerfile' }],
    ...(first === undefined ? {} : { buildError: failureJson(first), errors: failures.map(failureJson) }),
    ...(unchecked.length === 0 ? {} : { unchecked: unchecked.map(uncheckedJson) }),
  };
}

/** What there is to say of settings that name no rule; docker says nothing of them. */
const SETTINGS = {
  description: 'The settings of checks should name rules that there are',
  url: 'https://docs.docker.com/reference/dockerfile/#check',
};

/** The rules whose suggestions docker has in its sentence. */
const WITH_SUGGESTION: ReadonlySet<string> = new Set(['UndefinedVar', 'UndefinedArgInFrom']);

function warningJson({ code, message, expected, suggestion, hint, range }: LintWarning): object {
  const { description, url } = isRuleName(code)
    ? { description: RULES[code].description, url: dockerPage(code) }
    : SETTINGS;
  const detail = withSuggestion(message, WITH_SUGGESTION.has(code) ? suggestion : undefined);
  // What is undefined is not written.
  return {
    ruleName: code,
    description,
    url,
    detail,
    expected,
    suggestion,
    hint,
    location: locationOf(range),
  };
}

function failureJson({ code, message, suggestion, place }: Failure): object {
  return { code, message: withSuggestion(message, suggestion), location: locationOf(place?.range) };
}

function withSuggestion(message: string, suggestion: string | undefined): string {
  return suggestion === undefined ? message : `${message} (did you mean ${suggestion}?)`;
}

function uncheckedJson({ name, message, rules, place }: UncheckedBase): object {
  return { image: name, message, rules, location: locationOf(place?.range) };
}

/** Lines from 1, characters from 0. */
function locationOf(range: Range | undefined): object {
  if (range === undefined) return {};
  const { start, end } = range;
  return {
    ranges: [
      {
        start: { line: start.line, character: start.column - 1 },
        end: { line: end.line, character: end.column - 1 },
      },
    ],
  };
}
