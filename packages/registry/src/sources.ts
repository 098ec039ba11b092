import { RegistryError } from './errors.ts';
import { relocated, ruleFor, type RegistryRule } from './config/registries-conf.ts';
import type { Security } from './transport/scheme.ts';

/** Where the content of a repository lies: a registry's host, and what the repository is called there. */
export interface Place {
  readonly host: string;
  readonly security: Security;
  readonly repository: string;
  /** Not the registry that the image's name speaks of. */
  readonly isMirror: boolean;
}

/** What places are found by. */
export interface PlaceRules {
  /** Mirrors that were given for this run, by registry. */
  readonly mirrors: ReadonlyMap<string, readonly string[]>;
  readonly rules: readonly RegistryRule[];
}

/** The part of a reference that places are found by. */
export interface Named {
  readonly registry: string;
  readonly repository: string;
  readonly digest?: string;
}

/**
 * Where an image may be read from, in order: mirrors that were given, mirrors that are configured, its registry.
 * @throws RegistryError `blocked`, `config`
 */
export function placesToRead(named: Named, { mirrors, rules }: PlaceRules): Place[] {
  const given = (mirrors.get(named.registry) ?? []).map((url) => {
    const { host, security, path } = parseLocation(url, false);
    const repository = path === '' ? named.repository : `${path}/${named.repository}`;
    return { host, security, repository, isMirror: true };
  });
  const name = `${named.registry}/${named.repository}`;
  const rule = ruleFor(name, rules);
  const configured = (rule?.mirrors ?? [])
    .filter(({ serves }) => serves === 'all' || (serves === 'digest-only') === (named.digest !== undefined))
    .map(({ location, isInsecure }) => ({
      ...placeOf(rule === undefined ? name : relocated(name, rule, location), isInsecure),
      isMirror: true,
    }));
  return [...given, ...configured, placeToWrite(named, { rules })];
}

/**
 * The registry that an image's name speaks of.
 * @throws RegistryError `blocked`, `config`
 */
export function placeToWrite(named: Named, { rules }: Pick<PlaceRules, 'rules'>): Place {
  const name = `${named.registry}/${named.repository}`;
  const rule = ruleFor(name, rules);
  if (rule === undefined) {
    return { host: named.registry, security: 'https', repository: named.repository, isMirror: false };
  }
  if (rule.isBlocked) {
    throw new RegistryError('blocked', `the registry of ${name} is blocked`, {
      hint: `${rule.origin} says so, for ${rule.prefix}`,
    });
  }
  return { ...placeOf(relocated(name, rule, rule.location), rule.isInsecure), isMirror: false };
}

function placeOf(name: string, isInsecure: boolean): Omit<Place, 'isMirror'> {
  const { host, security, path } = parseLocation(name, isInsecure);
  if (path === '') throw new RegistryError('config', `the location ${name} names no repository`);
  return { host, security, repository: path };
}

/** Reads `HOST[:PORT][/PATH]`, with or without a scheme. `http://` says that it is spoken to without TLS. */
function parseLocation(
  text: string,
  isInsecure: boolean,
): { host: string; security: Security; path: string } {
  const hasScheme = /^https?:\/\//i.test(text);
  const url = URL.parse(hasScheme ? text : `https://${text}`);
  if (url === null || url.hostname === '' || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new RegistryError('config', `${JSON.stringify(text)} is not the place of a registry`, {
      hint: 'expected HOST[:PORT][/PATH] or a URL, for example http://127.0.0.1:5000',
    });
  }
  const security: Security = url.protocol === 'http:' ? 'http' : isInsecure ? 'insecure' : 'https';
  return { host: url.host, security, path: url.pathname.replaceAll(/^\/+|\/+$/g, '') };
}
