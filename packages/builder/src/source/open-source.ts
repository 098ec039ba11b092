import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { contextSource, MAIN_CONTEXT, webUrl, type ContextSource } from '../context/context-source.ts';
import { NO_RULES } from '../context/ignore-rules.ts';
import { openAnew, type LocalContextOptions, type OpenLocalContext } from '../context/kept-contexts.ts';
import type { LocalContext } from '../context/local-context.ts';
import { openContext, type ContextTools } from '../context/open-context.ts';
import { NO_MEMORY } from '../context/stat-cache.ts';
import { buildError } from '../failure.ts';
import { redactUrl } from '@caisson/registry/errors';
import type { BuildRequest } from '../request.ts';
import { readIgnoreFor } from './ignore-file.ts';
import {
  MAX_DOCKERFILE,
  readForeignDockerfile,
  readLocalDockerfile,
  readText,
  tooLarge,
  type DockerfileText,
} from './read-dockerfile.ts';

/** What a build reads: a Dockerfile and its context. */
export interface BuildSource {
  /** The Dockerfile, as people call it. */
  readonly path: string;
  readonly text: string;
  readonly context: LocalContext;
}

/** What folders are opened as contexts with. */
type LocalTools = Pick<LocalContextOptions, 'memory' | 'modes' | 'onRead' | 'onWalk'> & {
  readonly openLocal: OpenLocalContext;
};

/** The part of a request that says what to read. */
type SourceRequest = Pick<BuildRequest, 'context' | 'dockerfile' | 'dockerfileText' | 'buildArgs' | 'cwd'>;

/**
 * Opens the context of a build, wherever it is, and reads the Dockerfile.
 * @throws BuildError `invalid-request`, `no-dockerfile`, `fetch-failed`, `missing-source`, `bad-archive`
 */
export async function openSource(
  request: SourceRequest,
  tools: ContextTools & LocalTools,
): Promise<BuildSource> {
  const { context: given, cwd = process.cwd(), dockerfile, dockerfileText, buildArgs } = request;
  const source: ContextSource =
    typeof given === 'string'
      ? contextSource(given, cwd, { what: MAIN_CONTEXT, allowsBareGitHub: true })
      : 'pieces' in given
        ? { kind: 'given', pieces: given.pieces }
        : { kind: 'stream', bytes: given };
  const keepsGitFolder = /^(?:1|t|true)$/i.test(buildArgs?.['BUILDKIT_CONTEXT_KEEP_GIT_DIR'] ?? '');
  const opened = await openContext(source, MAIN_CONTEXT, tools, { keepsGitFolder });
  if (dockerfileText !== undefined && Buffer.byteLength(dockerfileText) > MAX_DOCKERFILE)
    throw tooLarge('the Dockerfile');
  const url = dockerfile === undefined ? undefined : webUrl(dockerfile);
  const text = dockerfileText ?? (url === undefined ? undefined : await fetchText(url, tools));
  const foreign = { ...tools, memory: NO_MEMORY, openLocal: openAnew };
  const named = url === undefined ? {} : { path: redactUrl(url) };

  if (opened.kind === 'file') {
    const folder = tools.session.newPath('context');
    mkdirSync(folder, { mode: 0o755 });
    const only = { path: 'Dockerfile', text: text ?? dockerfileIn(opened.path, source), ignore: NO_RULES };
    return { ...sourceOf(folder, only, foreign), ...named };
  }
  const { path, isLocal } = opened;
  if (isLocal) {
    const file = dockerfile === undefined || url !== undefined ? undefined : resolve(cwd, dockerfile);
    return { ...sourceOf(path, readLocalDockerfile(path, file, text), tools), ...named };
  }
  const foreignText =
    text === undefined
      ? readForeignDockerfile(path, shownSource(source), dockerfile)
      : { path: 'Dockerfile', text, ignore: NO_RULES };
  // Files that the caller gave are his own, as those of a folder: his ignore file counts.
  const read =
    source.kind === 'given'
      ? { ...foreignText, ignore: readIgnoreFor(path, resolve(path, foreignText.path)) }
      : foreignText;
  return { ...sourceOf(path, read, foreign), ...named };
}

function sourceOf(
  folder: string,
  { path, text, ignore }: DockerfileText,
  { openLocal, memory, modes, onRead, onWalk }: LocalTools,
): BuildSource {
  const context = openLocal({ title: MAIN_CONTEXT, folder, rules: ignore, memory, modes, onRead, onWalk });
  return { path, text, context };
}

async function fetchText(url: URL, { remote, signal }: ContextTools): Promise<string> {
  const tooMany = (): Error => tooLarge(redactUrl(url));
  const { path } = await remote.get(url.href, signal, { limit: MAX_DOCKERFILE, tooMany });
  return readText(Buffer.from(path, 'latin1'), redactUrl(url));
}

/** A context that is no archive is a Dockerfile, if it came from elsewhere. */
function dockerfileIn(path: string, source: ContextSource): string {
  const text = source.kind === 'file' ? '\0' : readText(path, 'Dockerfile');
  if (text !== '' && !text.includes('\0')) return text;
  if (source.kind === 'file') {
    throw buildError('invalid-request', `${source.path} is no archive`, {
      expected: 'a folder, an archive, the URL of one, or a git repository',
      hint: '-f names a Dockerfile',
    });
  }
  const what = text === '' ? 'empty' : 'neither a Dockerfile nor an archive';
  const came = source.kind === 'stream' ? `what came as ${MAIN_CONTEXT}` : shownSource(source);
  throw buildError('invalid-request', `${came} is ${what}`, {
    expected: 'a tar, compressed or not, or a Dockerfile',
  });
}

/** A context as messages call it. */
function shownSource(source: ContextSource): string {
  switch (source.kind) {
    case 'stream':
    case 'given':
      return MAIN_CONTEXT;
    case 'folder':
    case 'file':
      return source.path;
    case 'url':
      return redactUrl(source.url);
    case 'git':
      return source.reference.remote;
  }
}
