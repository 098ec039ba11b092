import type { BuildRequest } from '@caisson/builder';
import type { BuildFlags } from './build-options.ts';
import { requestOf, type BuildSource } from './build-request.ts';
import { cacheSizeOf } from './cache-size.ts';
import { parseCacheTo } from './parse-cache.ts';
import { parseDestinations } from './parse-output.ts';
import type { Terminal } from './terminal.ts';

/** All that a command line asks to be built. @throws UsageError */
export async function fullRequest(
  context: string,
  flags: BuildFlags,
  root: string,
  terminal: Terminal,
): Promise<BuildRequest> {
  const { cacheMaxSize } = flags;
  const asked = requestOf(context, flags, root, terminal);
  const request = {
    ...asked,
    ...parseDestinations(flags, terminal.cwd, asked.platforms),
    cacheTo: flags.cacheTo.map((text) => parseCacheTo(text, terminal.cwd)),
  };
  const source = await sourceOf(context, flags);
  return {
    ...request,
    ...source,
    ...(cacheMaxSize === undefined ? {} : { cacheMaxSize: cacheSizeOf(cacheMaxSize) }),
  };
}

/** The context and the Dockerfile as they were named, or as they come on the standard input. */
export async function sourceOf(context: string, { file }: Pick<BuildFlags, 'file'>): Promise<BuildSource> {
  const given = { context: context === '-' ? process.stdin : context };
  if (file === undefined) return given;
  return file === '-'
    ? { ...given, dockerfileText: await beginningOf(process.stdin) }
    : { ...given, dockerfile: file };
}

/** More than a Dockerfile may have, so that one that is too large is refused. */
const MOST_INPUT = 17 << 20;

/** What comes on the standard input, as text. An input without an end is not read to it. */
async function beginningOf(input: AsyncIterable<unknown>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    if (!(chunk instanceof Uint8Array)) continue;
    chunks.push(chunk);
    size += chunk.length;
    if (size > MOST_INPUT) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
