import type { Verdict } from './judge.ts';

/** What the terminal shows of a case. */
export function lineOf({ each, bothFail, unexplained, needless }: Verdict): string {
  const explained = (each.expect.differences ?? []).length;
  const result = bothFail ? 'both fail' : explained > 0 ? `same, but for ${explained} with a reason` : 'same';
  const lines = [
    ...unexplained.map(({ where, how }) => `  ${where}: ${how}`),
    ...needless.map((pattern) => `  ${pattern}: does not differ any more, take it out of expect.json`),
  ];
  return [`${each.name.padEnd(32)} ${lines.length === 0 ? result : 'DIFFERS'}`, ...lines].join('\n');
}

/** Whether a case is as it should be. */
export function isSound({ unexplained, needless }: Verdict): boolean {
  return unexplained.length === 0 && needless.length === 0;
}

/**
 * The page of documentation that a comparison gives. Rows of cases that were not compared this time stay.
 * @param before the page as it is
 * @param names all cases
 */
export function pageOf(
  verdicts: readonly Verdict[],
  {
    version,
    before,
    names,
  }: { readonly version: string; readonly before: string; readonly names: readonly string[] },
): string {
  const kept = [...before.matchAll(/^\| ([\w-]+) \| .* \|$/gm)].map(
    ([row, name = '']) => [name, row] as const,
  );
  const fresh = verdicts.map((verdict) => [verdict.each.name, rowOf(verdict)] as const);
  const rows = new Map([...kept, ...fresh]);
  const lines = names.flatMap((name) => rows.get(name) ?? []);
  const same = lines.filter((row) => /\| (?:same|both fail) \|$/.test(row)).length;
  return `# Conformance

Every case of \`fixtures/builds\` is built with Docker and with Caisson, and all that the two images hold is compared: files
(type, mode, owner, size, content, links, hard links, xattrs, devices, and times that docker keeps), the whole config (the
order of Env with it), the author, every line of the history, and the number of layers. What must fail must fail with
both.

Written by \`npm run conformance -- --write\` with Docker ${version}: ${same} of ${lines.length} cases are the same, the others differ as their rows say.
[differences.md](differences.md) says what differs by design.

| case | what it shows | result |
| --- | --- | --- |
${lines.join('\n')}
`;
}

function rowOf(verdict: Verdict): string {
  const { name, expect } = verdict.each;
  return `| ${name} | ${escaped(expect.title)} | ${resultOf(verdict)} |`;
}

function resultOf({ each, bothFail, unexplained }: Verdict): string {
  const explained = (each.expect.differences ?? []).map(
    ({ where, reason }) => `${where.map((one) => `\`${one}\``).join(', ')}: ${reason}`,
  );
  const open = unexplained.map(({ where, how }) => `**\`${where}\`**: ${how}`);
  const result = bothFail ? 'both fail' : explained.length + open.length === 0 ? 'same' : '';
  return [result, ...explained, ...open]
    .filter((part) => part !== '')
    .map(escaped)
    .join('; ');
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}
