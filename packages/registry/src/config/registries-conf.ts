import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import * as z from 'zod/mini';
import { RegistryError } from '../errors.ts';
import type { Environment } from '../transport/proxy.ts';

const mirrorSchema = z.looseObject({
  location: z.string(),
  insecure: z.optional(z.boolean()),
  'pull-from-mirror': z.optional(z.enum(['all', 'digest-only', 'tag-only'])),
});

const schema = z.looseObject({
  registry: z.optional(
    z.array(
      z.looseObject({
        prefix: z.optional(z.string()),
        location: z.optional(z.string()),
        insecure: z.optional(z.boolean()),
        blocked: z.optional(z.boolean()),
        mirror: z.optional(z.array(mirrorSchema)),
      }),
    ),
  ),
});

/** What is configured for the images whose names begin with a prefix. */
export interface RegistryRule {
  /** `docker.io`, `docker.io/library`, `*.example.com`. */
  readonly prefix: string;
  /** What takes the prefix's place. */
  readonly location: string;
  readonly isInsecure: boolean;
  readonly isBlocked: boolean;
  readonly mirrors: readonly MirrorRule[];
  /** The file that says so. */
  readonly origin: string;
}

/** A place to ask first. */
export interface MirrorRule {
  readonly location: string;
  readonly isInsecure: boolean;
  /** For which kind of reference it is asked. */
  readonly serves: 'all' | 'digest-only' | 'tag-only';
}

/**
 * Reads the configuration that podman, buildah and skopeo share. Files of the drop-in folder come after the main one
 * and replace its rules of the same prefix. Where there is none, there are no rules.
 * @throws RegistryError `config`
 * @see containers-registries.conf(5)
 */
export function readRegistriesConf(env: Environment): readonly RegistryRule[] {
  const rules = new Map<string, RegistryRule>();
  for (const path of configFiles(env)) {
    for (const rule of readFileRules(path)) rules.set(rule.prefix, rule);
  }
  return [...rules.values()];
}

function configFiles(env: Environment): string[] {
  const named = env['CONTAINERS_REGISTRIES_CONF'];
  if (named !== undefined && named !== '') return [named];
  const home = env['HOME'] ?? homedir();
  const user = join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'containers', 'registries.conf');
  const main = existsSync(user) ? user : '/etc/containers/registries.conf';
  return [...(existsSync(main) ? [main] : []), ...dropIns(`${main}.d`)];
}

function dropIns(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.conf'))
      .toSorted()
      .map((name) => join(folder, name));
  } catch {
    return []; // it is not there
  }
}

function readFileRules(path: string): RegistryRule[] {
  let value: unknown;
  try {
    value = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const [first = ''] = error instanceof Error ? error.message.split('\n') : [];
    throw new RegistryError('config', `the registries' configuration ${path} cannot be read: ${first}`, {
      cause: error,
    });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new RegistryError(
      'config',
      `the registries' configuration ${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`,
    );
  }
  return (parsed.data.registry ?? []).map((entry) => {
    const prefix = entry.prefix ?? entry.location;
    if (prefix === undefined || prefix === '') {
      throw new RegistryError(
        'config',
        `the registries' configuration ${path}: a [[registry]] has neither prefix nor location`,
      );
    }
    return {
      prefix,
      location: entry.location ?? prefix,
      isInsecure: entry.insecure ?? false,
      isBlocked: entry.blocked ?? false,
      origin: path,
      mirrors: (entry.mirror ?? []).map((mirror) => ({
        location: mirror.location,
        isInsecure: mirror.insecure ?? false,
        serves: mirror['pull-from-mirror'] ?? 'all',
      })),
    };
  });
}

/** The rule for an image's name without tag: the one with the longest prefix that fits. */
export function ruleFor(name: string, rules: readonly RegistryRule[]): RegistryRule | undefined {
  return rules
    .filter(({ prefix }) => fits(name, prefix))
    .toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
}

function fits(name: string, prefix: string): boolean {
  if (prefix.startsWith('*.')) {
    const [host = ''] = name.split('/', 1);
    return host.replace(/:\d+$/, '').endsWith(prefix.slice(1));
  }
  return name === prefix || name.startsWith(`${prefix}/`);
}

/** A name with the prefix of a rule replaced: `docker.io/library/debian` at `mirror.local/hub`. */
export function relocated(name: string, { prefix }: RegistryRule, location: string): string {
  return prefix.startsWith('*.') ? name : `${location}${name.slice(prefix.length)}`;
}
