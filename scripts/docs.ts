/*
 * npm run docs: writes what documentation takes from the code. With --check: says what is out of step, and ends with 1.
 *   docs/cli.md               the help of every command
 *   docs/errors.md            what each error means, from scripts/error-pages.ts and fixtures/errors
 *   docs/api-reference.md     what the package exports, from its docstrings
 *   docs/decisions/README.md  the list of decisions
 *   docs/rules/               a page for each rule of the lint
 * It also looks at every link between documents, and at the table of packages in docs/architecture.md.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { allowedImports } from '../oxlint.config.ts';
import { apiReference } from './api-reference.ts';
import { ERROR_PAGES, type ErrorPage } from './error-pages.ts';
import { rulePages } from './rule-pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const isCheck = process.argv.includes('--check');
const problems: string[] = [];

function put(path: string, text: string): void {
  const full = join(root, path);
  const before = existsSync(full) ? readFileSync(full, 'utf8') : '';
  if (before === text) return;
  if (isCheck) problems.push(`${path} is out of step with the code: npm run docs`);
  else writeFileSync(full, text);
}

async function helpOf(...command: string[]): Promise<string> {
  const program = join(root, 'packages/cli/bin/caisson.js');
  const env = { COLUMNS: '100', NO_COLOR: '1' };
  return (await execa(process.execPath, [program, ...command, '--help'], { env })).stdout;
}

async function writeCliReference(): Promise<void> {
  const top = await helpOf();
  const listed = top.slice(top.indexOf('Commands:'));
  const commands = [...listed.matchAll(/^ {2}([\w-]+) /gm)].flatMap(([, name = '']) =>
    name === 'help' ? [] : [name],
  );
  const sections = await Promise.all(
    commands.map(
      async (name) => `## caisson ${name}\n\n\`\`\`text\n${(await helpOf(name)).trim()}\n\`\`\`\n`,
    ),
  );
  const head = '# The command line\n\nWritten by `npm run docs` from the help of each command.\n';
  put('docs/cli.md', `${head}\n\`\`\`text\n${top.trim()}\n\`\`\`\n\n${sections.join('\n')}`);
}

function writeErrorPages(): void {
  const sections = Object.entries(ERROR_PAGES).map(
    ([code, { means, mend, example }]) => `## ${code}\n\n${means}\n\n${mend}\n\n${exampleText(example)}`,
  );
  const head =
    '# Errors\n\nWhat the code of an error means, and how to mend it. A build ends with exit code 1 then, or with 2 where\nwhat was asked for is wrong (`invalid-request`, `no-dockerfile`, `unknown-target`); nothing of it is lost.\n' +
    'Written by `npm run docs`.\n';
  put('docs/errors.md', `${head}\n${sections.join('\n')}`);
}

/** The longest line of an example that is printed whole. */
const MAX_EXAMPLE_WIDTH = 120;

function exampleText(example: ErrorPage['example']): string {
  if ('text' in example) return `\`\`\`text\n${example.text}\n\`\`\`\n`;
  const folder = join(root, 'fixtures/errors', example.fixture);
  const lines = readFileSync(join(folder, 'Dockerfile'), 'utf8').trimEnd().split('\n');
  const dockerfile = lines.map((line) =>
    line.length > MAX_EXAMPLE_WIDTH ? `${line.slice(0, MAX_EXAMPLE_WIDTH)}...` : line,
  );
  const message = readFileSync(join(folder, 'message.txt'), 'utf8').trimEnd();
  return `\`\`\`dockerfile\n${dockerfile.join('\n')}\n\`\`\`\n\n\`\`\`text\n${message}\n\`\`\`\n`;
}

function writeDecisionList(): void {
  const folder = join(root, 'docs/decisions');
  const files = readdirSync(folder)
    .filter((name) => /^\d{4}-.*\.md$/.test(name))
    .toSorted();
  const numbers = files.map((name) => name.slice(0, 4));
  if (new Set(numbers).size !== numbers.length) problems.push('two decisions have one number');
  const lines = files.map((name) => {
    const title = /^# (.*)$/m.exec(readFileSync(join(folder, name), 'utf8'))?.[1] ?? name;
    return `- [${name.slice(0, 4)}](${name}) ${title}`;
  });
  put(
    'docs/decisions/README.md',
    `# Decisions\n\nOne page a choice: context, decision, what it costs.\n\n${lines.join('\n')}\n`,
  );
}

function writeRulePages(): void {
  const folder = join(root, 'docs/rules');
  const pages = rulePages();
  if (!isCheck) mkdirSync(folder, { recursive: true });
  for (const [name, text] of pages) put(`docs/rules/${name}`, text);
  const stale = existsSync(folder) ? readdirSync(folder).filter((name) => !pages.has(name)) : [];
  problems.push(...stale.map((name) => `docs/rules/${name} is the page of no rule`));
}

function documents(): string[] {
  const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  const above = readdirSync(root).filter((name) => name.endsWith('.md'));
  return [...above, ...inDocs];
}

function checkLinks(): void {
  for (const path of documents()) {
    const text = readFileSync(join(root, path), 'utf8').replaceAll(/```[\s\S]*?```/g, '');
    for (const [, target = ''] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const full = join(root, dirname(path), target);
      if (!existsSync(full)) problems.push(`${path} links to ${relative(root, full)}, which is not there`);
    }
  }
}

/** The rows `| name | ... | imports |` of docs/architecture.md say what the lint rule enforces. */
function checkPackageTable(): void {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  for (const [name, allowed] of Object.entries(allowedImports)) {
    const row = new RegExp(`^\\| \`${name}\` \\|.*\\| ([^|]*) \\|$`, 'm').exec(text)?.[1]?.trim();
    const written = (row ?? '').split(', ').filter((each) => each !== '' && each !== 'nothing');
    if (row === undefined || written.toSorted().join() !== [...allowed].toSorted().join())
      problems.push(`docs/architecture.md: the row of ${name} does not say what oxlint.config.ts allows`);
  }
}

await writeCliReference();
put('docs/api-reference.md', await apiReference());
writeErrorPages();
writeDecisionList();
writeRulePages();
checkLinks();
checkPackageTable();
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
