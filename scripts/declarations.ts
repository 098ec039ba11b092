/*
 * The types of the published package, as one file: what its API reaches of the declarations that tsc makes of all packages,
 * declaration by declaration. To read it, nothing is needed but Node's own types.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const root = fileURLToPath(new URL('..', import.meta.url));
const ENTRY = 'packages/builder/src/api/index.d.ts';

/** A name that a file declares, with all that it says of it. */
export interface Declaration {
  readonly name: string;
  /** Its comment and its text, `export` left out. */
  readonly text: string;
}

/** The declarations of the API. */
export interface ApiDeclarations {
  /** What they take from Node: names by module. */
  readonly fromNode: ReadonlyMap<string, readonly string[]>;
  /** In the order in which the API's index has them. */
  readonly exported: readonly Declaration[];
  /** What those need besides. */
  readonly others: readonly Declaration[];
}

/** The text of the file. */
export function declarationFile({ fromNode, exported, others }: ApiDeclarations): string {
  const imports = [...fromNode].map(
    ([from, names]) => `import type { ${names.join(', ')} } from '${from}';\n`,
  );
  const texts = [...exported, ...others].map(({ text }) => text);
  return `${imports.join('')}${texts.join('\n')}\nexport { ${exported.map(({ name }) => name).join(', ')} };\n`;
}

/** Makes the declarations. It takes tsc a few seconds. */
export async function apiDeclarations(): Promise<ApiDeclarations> {
  const emitted = join(root, '.caisson', `declarations-${process.pid}`);
  try {
    await emit(emitted);
    return await new Reach(emitted).from(join(emitted, ENTRY));
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
}

async function emit(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const compilerOptions = {
    noEmit: false,
    emitDeclarationOnly: true,
    declaration: true,
    noCheck: true, // npm run check does
    outDir: folder,
    rootDir: root,
  };
  const settings = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions,
    include: [join(root, 'packages/*/src')],
    exclude: [join(root, '**/*.test.ts')],
  };
  const config = join(folder, 'tsconfig.json');
  await writeFile(config, JSON.stringify(settings));
  await execa(join(root, 'node_modules/.bin/tsc'), ['-p', config], { cwd: root });
}

/** A file that tsc wrote. */
interface DeclaringFile {
  /** What it declares: a function may have several signatures. */
  readonly declared: ReadonlyMap<string, string>;
  /** What it has from elsewhere, by the name that it has here. */
  readonly imported: ReadonlyMap<string, { readonly name: string; readonly from: string }>;
  /** What it passes on, in order. */
  readonly exported: readonly string[];
}

/** Finds what some declarations need. */
class Reach {
  readonly #emitted: string;
  readonly #files = new Map<string, Promise<DeclaringFile>>();
  /** By name: where it is from, and its text. */
  /** Names of Node's own types, by module. */
  readonly #fromNode = new Map<string, string[]>();
  readonly #found = new Map<string, { readonly path: string; text: string }>();

  constructor(emitted: string) {
    this.#emitted = emitted;
  }

  async from(entry: string): Promise<ApiDeclarations> {
    const { exported } = await this.#read(entry);
    for (const name of exported) await this.#add(name, entry);
    const declarations = [...this.#found].map(([name, { text }]) => ({ name, text }));
    const isExported = new Set(exported);
    return {
      fromNode: this.#fromNode,
      exported: exported.flatMap((name) => declarations.filter((each) => each.name === name)),
      others: declarations.filter(({ name }) => !isExported.has(name)),
    };
  }

  #takeFromNode(name: string, from: string): void {
    const names = this.#fromNode.get(from) ?? [];
    if (!names.includes(name)) this.#fromNode.set(from, [...names, name]);
  }

  async #add(name: string, path: string): Promise<void> {
    const { declared, imported } = await this.#read(path);
    const text = declared.get(name);
    if (text === undefined) {
      const there = imported.get(name);
      if (there === undefined) throw new Error(`${relative(this.#emitted, path)} has no ${name}`);
      if (there.name !== name) throw new Error(`${name} is called ${there.name} elsewhere`);
      if (there.from.startsWith('node:')) this.#takeFromNode(name, there.from);
      else await this.#add(name, this.#fileOf(there.from, path));
      return;
    }
    const known = this.#found.get(name);
    if (known !== undefined) {
      if (known.path !== path) throw new Error(`${name} is declared in ${known.path} and in ${path}`);
      return;
    }
    const found = { path, text };
    this.#found.set(name, found);
    for (const [whole, from = '', inline = ''] of text.matchAll(/import\(["']([^"']+)["']\)\.(\w+)/g)) {
      await this.#add(inline, this.#fileOf(from, path));
      found.text = found.text.replaceAll(whole, inline);
    }
    const words = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').match(/[A-Za-z_$][\w$]*/g) ?? [];
    for (const word of new Set(words)) {
      if (word !== name && (declared.has(word) || imported.has(word))) await this.#add(word, path);
    }
  }

  #fileOf(from: string, path: string): string {
    if (from.startsWith('.')) return resolve(dirname(path), from.replace(/\.ts$/, '.d.ts'));
    const own = /^@caisson\/(\w+)$/.exec(from)?.[1];
    if (own !== undefined) return join(this.#emitted, 'packages', own, 'src', 'index.d.ts');
    throw new Error(`the types of the API need ${from}: ${relative(this.#emitted, path)}`);
  }

  #read(path: string): Promise<DeclaringFile> {
    const known = this.#files.get(path) ?? readDeclarations(path);
    this.#files.set(path, known);
    return known;
  }
}

const LIST = /^(import|export)(?: type)? \{([^}]*)\} from ['"]([^'"]+)['"];$/gm;
const ALL = /^import (?:type )?\* as (\w+) from ['"]([^'"]+)['"];$/gm;
const START = /^(?:\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?(?:export|declare|type|interface|class) /gm;
const NAME = /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|function|const|let) ([\w$]+)/;

async function readDeclarations(path: string): Promise<DeclaringFile> {
  const text = await readFile(path, 'utf8');
  const imported = new Map<string, { name: string; from: string }>();
  const exported: string[] = [];
  for (const [, verb = '', list = '', from = ''] of text.matchAll(LIST)) {
    for (const item of list.split(',').map((each) => each.trim().replace(/^type /, ''))) {
      if (item === '') continue;
      const [name = '', here = name] = item.split(' as ');
      imported.set(here, { name, from });
      if (verb === 'export') exported.push(here);
    }
  }
  for (const [, name = '', from = ''] of text.matchAll(ALL)) imported.set(name, { name, from });
  const declared = new Map<string, string>();
  // A declaration begins at the left, with its comment, and ends where the next begins.
  const rest = text.replaceAll(LIST, '').replaceAll(ALL, '');
  const starts = [...rest.matchAll(START)].map(({ index }) => index);
  for (const [index, start] of starts.entries()) {
    const part = rest.slice(start, starts[index + 1]);
    const code = part.replace(/^\/\*\*[\s\S]*?\*\/\n/, '');
    const name = NAME.exec(code)?.[1];
    if (name === undefined) continue;
    const own = `${part.slice(0, part.length - code.length)}${code.replace(/^export /, '')}`.trimEnd();
    const before = declared.get(name);
    declared.set(name, before === undefined ? own : `${before}\n${own}`);
  }
  return { declared, imported, exported };
}
