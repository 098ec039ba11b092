import { apiDeclarations, type Declaration } from './declarations.ts';

/** docs/api-reference.md: what the package exports, from its declarations and their comments. */
export async function apiReference(): Promise<string> {
  const { exported, others } = await apiDeclarations();
  const functions = exported.filter(isCallable);
  const types = [...exported.filter((each) => !isCallable(each)), ...others.filter(isNamed)];
  return [
    '# Reference of the Node API\n',
    'Written by `npm run docs` from the code. [api.md](api.md) explains how it is used.\n',
    '## Functions and classes\n',
    ...functions.map(section),
    '## Types\n',
    ...types.map(section),
  ].join('\n');
}

function isCallable({ text }: Declaration): boolean {
  return /^(?:declare )?(?:function|class)/m.test(codeOf(text));
}

/** What only the compiler knows of: brands, and the list behind a type. */
function isNamed({ text }: Declaration): boolean {
  return !/^declare const/m.test(codeOf(text));
}

function section({ name, text }: Declaration): string {
  const code = codeOf(text);
  return [`### ${name}\n`, commentOf(text), '```typescript', code.replaceAll(/^declare /gm, ''), '```\n']
    .filter((part) => part !== '')
    .join('\n');
}

const COMMENT = /^\/\*\*([\s\S]*?)\*\/\n/;

function codeOf(text: string): string {
  return text.replace(COMMENT, '').trimEnd();
}

/** A comment as Markdown. */
function commentOf(text: string): string {
  const [, comment = ''] = COMMENT.exec(text) ?? [];
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trimEnd());
  const [said = '', ...tags] = lines
    .join('\n')
    .trim()
    .split(/^@(?=param|returns|throws|example)/m);
  const told = tags.map((tag) => {
    const [, word = '', rest = ''] = /^(\w+)\s*([\s\S]*)$/.exec(tag.trim()) ?? [];
    if (word === 'example') return `\n${rest}\n`;
    const line = rest.replaceAll(/\n\s*/g, ' ');
    if (word === 'param') return `- ${line.replace(/^(\S+)/, '`$1`:')}`;
    return `- ${word}: ${line.replace(/^(CaissonError)/, '`$1`')}`;
  });
  const all = [said.trim(), ...(told.length === 0 ? [] : ['', ...told])]
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n');
  return all.trim() === '' ? '' : `${all.trim()}\n`.replaceAll(/\{@link ([\w.]+)\}/g, '`$1`');
}
