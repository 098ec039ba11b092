import type { BuildRequest } from '@caisson/builder';
import type { PlanFlags } from './build-options.ts';
import { flagOrVariable } from './flag-or-variable.ts';
import { parseCacheFrom } from './parse-cache.ts';
import { parseTags } from './image-names.ts';
import { parseHost, parseLimits } from './parse-limits.ts';
import {
  NETWORK_CHOICES,
  RIGHTS,
  oneOf,
  parseBuildArgs,
  parseBuildContexts,
  parseContextModes,
  parseForms,
  parseCount,
  parseLabels,
  parsePlatforms,
  parsePull,
  parseMinIsolation,
  parseRuntimes,
  parseSecrets,
  parseSourceDateEpoch,
  parseSsh,
} from './parse-options.ts';
import { registryOptions } from './registry-options.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Where the context and the Dockerfile are. */
export type BuildSource = Pick<BuildRequest, 'context' | 'dockerfile' | 'dockerfileText'>;

/** What a command line asks to be built, but for where its files are and what is written. @throws UsageError */
export function requestOf(
  context: string,
  flags: PlanFlags,
  root: string,
  terminal: Terminal,
): Omit<BuildRequest, keyof BuildSource> {
  const { env, cwd } = terminal;
  if (context === '-' && flags.file === '-')
    throw new UsageError('the Dockerfile and the context cannot both come on the standard input');
  const platforms = parsePlatforms(flags.platform, env['DOCKER_DEFAULT_PLATFORM']);
  // docker's default is the network of the host here, as long as there is no private one.
  const network = oneOf('--network', flags.network ?? 'default', NETWORK_CHOICES);
  const jobs = parseCount('--jobs', flags.jobs);
  const runtimes = parseRuntimes(flagOrVariable('--runtime', flags.runtime, 'CAISSON_RUNTIME', terminal));
  const minIsolation = parseMinIsolation(
    flagOrVariable('--min-isolation', flags.minIsolation, 'CAISSON_MIN_ISOLATION', terminal),
  );
  const sourceDateEpoch = parseSourceDateEpoch(env['SOURCE_DATE_EPOCH']);
  return {
    root,
    cwd,
    names: parseTags(flags.tag),
    buildArgs: parseBuildArgs(flags.buildArg, env),
    noCache: !flags.cache,
    noCacheFilter: flags.cacheFilter,
    buildContexts: parseBuildContexts(flags.buildContext),
    contextModes: parseContextModes(
      flagOrVariable('--context-modes', flags.contextModes, 'CAISSON_CONTEXT_MODES', terminal),
    ),
    forms: parseForms(flagOrVariable('--forms', flags.forms, 'CAISSON_FORMS', terminal)),
    secrets: parseSecrets(flags.secret, terminal),
    ssh: parseSsh(flags.ssh, terminal),
    labels: parseLabels(flags.label),
    cacheFrom: flags.cacheFrom.map((text) => parseCacheFrom(text, cwd)),
    pull: parsePull(flags.pull),
    registry: registryOptions(flags.registryMirror, env),
    ...(flags.target === undefined ? {} : { target: flags.target }),
    ...(network === 'default' ? {} : { network }),
    allow: flags.allow.map((right) => oneOf('--allow', right, RIGHTS)),
    hosts: flags.addHost.map(parseHost),
    limits: parseLimits(flags),
    platforms,
    ...(jobs === undefined ? {} : { jobs }),
    ...(runtimes === undefined ? {} : { runtimes }),
    ...(minIsolation === undefined ? {} : { minIsolation }),
    ...(sourceDateEpoch === undefined ? {} : { sourceDateEpoch }),
  };
}
