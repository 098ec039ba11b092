import { resolve } from 'node:path';
import { formatPlatform, formatReference, parseReference, type Platform } from '@caisson/oci';
import { parseLayoutName, type LayoutImages } from '../bases/layout-images.ts';
import { suggest } from '@caisson/parser';
import type { Emit } from '../events.ts';
import { BuildError, buildError } from '../failure.ts';
import { failuresOf } from '../failure-of.ts';
import type { NamedContext, ResolveImage } from '../plan/origins.ts';
import type { Place } from '../plan/planned.ts';
import { emptyImage } from '../plan/stage-base.ts';
import { readIgnore } from '../source/ignore-file.ts';
import type { ContextModes } from './context-modes.ts';
import { contextSource, type ContextSource } from './context-source.ts';
import { NO_RULES } from './ignore-rules.ts';
import { openAnew, type LocalContextOptions, type OpenLocalContext } from './kept-contexts.ts';
import type { LocalContext } from './local-context.ts';
import { openContext, type ContextTools } from './open-context.ts';
import { NO_MEMORY, type FileMemory, type ListMemory } from './stat-cache.ts';
import { Once } from '../once.ts';

/** What named contexts are opened with. */
export interface NamedContextTools extends ContextTools {
  readonly memory: FileMemory & ListMemory;
  readonly modes: ContextModes;
  readonly openLocal: OpenLocalContext;
  readonly onRead: LocalContextOptions['onRead'];
  readonly onWalk: LocalContextOptions['onWalk'];
  readonly resolveImage: ResolveImage;
  readonly layouts: LayoutImages;
}

type NamedSource =
  | { readonly kind: 'image'; readonly name: string }
  | { readonly kind: 'layout'; readonly name: string }
  | ContextSource;

/** What may not be given another meaning, as with docker. */
const RESERVED: ReadonlySet<string> = new Set(['scratch', 'context']);

/**
 * The contexts that a build was given under names, each opened when something asks for it. They are found by the full
 * names of images: `busybox` is `docker.io/library/busybox:latest`.
 */
export class NamedContexts {
  readonly #tools: NamedContextTools;
  readonly #sources = new Map<string, { readonly given: string; readonly source: NamedSource }>();
  readonly #opened = new Once<string, Promise<NamedContext>>();
  readonly #folders: LocalContext[] = [];
  readonly #unused: Set<string>;

  /**
   * @param contexts by name, as docker writes them
   * @param cwd from where relative paths are seen
   * @throws BuildError `invalid-request`
   */
  constructor(contexts: Readonly<Record<string, string>>, cwd: string, tools: NamedContextTools) {
    this.#tools = tools;
    this.#unused = new Set(Object.keys(contexts));
    for (const [given, text] of Object.entries(contexts)) {
      const source = namedSource(given, text, cwd);
      if (!RESERVED.has(given)) this.#sources.set(fullName(given), { given, source });
    }
  }

  /** What a name stands for; undefined for one that was not given. @throws BuildError */
  async open(name: string, platform: Platform, place: Place): Promise<NamedContext | undefined> {
    const found = this.#sources.get(soughtName(name));
    if (found === undefined) return undefined;
    const { given, source } = found;
    this.#unused.delete(given);
    const key = `${given} ${formatPlatform(platform)}`;
    const opened = this.#opened.get(key, () => this.#open(given, source, platform, place));
    return opened.catch((error: unknown) => {
      const failures = failuresOf(error, { place });
      throw failures === undefined ? error : new BuildError(failures, error);
    });
  }

  /**
   * Warns of those that nothing asked for, and nothing could.
   * @param names what stands in the Dockerfile: a stage that the target does not need asks for nothing
   */
  warnOfUnused(names: Iterable<string>, emit: Emit): void {
    const written = new Set([...names].map(soughtName));
    for (const name of this.#unused) {
      if (written.has(fullName(name)) && !RESERVED.has(name)) continue;
      const hint = RESERVED.has(name)
        ? `${name} cannot be given another meaning`
        : `FROM ${name}, COPY --from=${name} or a stage of that name would use it`;
      emit({ kind: 'warning', message: `the build context ${name} is used nowhere`, hint });
    }
  }

  /** Keeps what was learned of files for later builds. */
  save(): void {
    for (const folder of this.#folders) folder.save();
  }

  async #open(given: string, source: NamedSource, platform: Platform, place: Place): Promise<NamedContext> {
    const title = `the build context ${given}`;
    if (source.kind === 'image') {
      const isEmpty = source.name === 'scratch';
      const image = isEmpty
        ? emptyImage(platform)
        : await this.#tools.resolveImage(source.name, platform, place);
      return { kind: 'image', image };
    }
    if (source.kind === 'layout') {
      return { kind: 'image', image: await this.#tools.layouts.open(source.name, title, platform) };
    }
    const opened = await openContext(source, title, this.#tools, { keepsGitFolder: false });
    if (opened.kind === 'file') {
      throw buildError('invalid-request', `${title} is no archive`, {
        expected: 'a folder, an archive, or a git repository',
      });
    }
    const { path, isLocal } = opened;
    const rules = isLocal ? readIgnore(path) : NO_RULES;
    const { modes, memory, openLocal, onRead, onWalk } = this.#tools;
    const options = { title, folder: path, rules, modes, onRead, onWalk };
    const context = isLocal ? openLocal({ ...options, memory }) : openAnew({ ...options, memory: NO_MEMORY });
    this.#folders.push(context);
    return { kind: 'context', context };
  }
}

const URL_SCHEMES = ['https', 'http', 'git', 'ssh'];

function namedSource(given: string, text: string, cwd: string): NamedSource {
  const what = `the build context ${given}`;
  const name = parseReference(given);
  if (!name.ok) throw buildError('invalid-request', `the name of a build context: ${name.error}`);
  const image = /^docker-image:\/\/(.*)$/.exec(text)?.[1];
  if (image !== undefined) {
    const reference = parseReference(image);
    if (reference.ok) return { kind: 'image', name: image };
    throw buildError('invalid-request', `${what}: ${reference.error}`, {
      expected: 'docker-image://NAME[:TAG][@DIGEST]',
    });
  }
  const layout = /^oci-layout:\/\/(.*)$/.exec(text)?.[1];
  if (layout !== undefined) {
    const { folder, rest } = parseLayoutName(layout);
    return { kind: 'layout', name: `${resolve(cwd, folder)}${rest}` };
  }
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+-]*)(:\/\/.*)$/is.exec(text) ?? [];
  if (scheme !== undefined && !URL_SCHEMES.includes(scheme.toLowerCase())) {
    const near = suggest(scheme, ['docker-image', 'oci-layout', ...URL_SCHEMES]);
    throw buildError('invalid-request', `${what}: ${JSON.stringify(text)} is of no kind that is known`, {
      expected: 'a folder, docker-image://, oci-layout://, https:// or a git repository',
      ...(near === undefined ? {} : { suggestion: `${near}${rest}` }),
    });
  }
  return contextSource(text, cwd, { what, allowsBareGitHub: false });
}

/** Where what a Dockerfile says is looked for: a stage has any case, the tag of an image its own. */
function soughtName(name: string): string {
  return fullName(parseReference(name).ok ? name : name.toLowerCase());
}

function fullName(name: string): string {
  const reference = parseReference(name);
  return reference.ok ? formatReference(reference.value) : name;
}
