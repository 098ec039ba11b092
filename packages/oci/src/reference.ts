import { isDigest, type Digest } from './digest.ts';
import { err, ok, type Result } from './result.ts';

/**
 * The full name of an image: where it lies and which one is meant.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests (the grammar of names)
 */
export interface Reference {
  /** The registry's host, with its port if it has one: `docker.io`, `127.0.0.1:5000`. */
  readonly registry: string;
  /** The repository on that registry: `library/debian`. */
  readonly repository: string;
  /** `latest` where neither a tag nor a digest was given. */
  readonly tag?: string;
  readonly digest?: Digest;
}

const DEFAULT_REGISTRY = 'docker.io';
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]{1,5})?$`);
const MAX_NAME_LENGTH = 255;

/**
 * Reads an image name as docker does: `debian` is `docker.io/library/debian:latest`; the first component is a
 * registry only if it holds a dot or a colon, or is `localhost`. The error is one sentence that names the bad part.
 */
export function parseReference(text: string): Result<Reference, string> {
  const shown = JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}...` : text);
  if (text === '') return err('the image name is empty');
  const [named, digestText, ...rest] = text.split('@');
  if (named === undefined || rest.length > 0) return err(`${shown} holds more than one "@"`);
  if (digestText !== undefined && !isDigest(digestText)) {
    return err(`${shown}: expected "sha256:" and 64 lower-case hex digits after "@"`);
  }
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const name = colon === -1 ? named : named.slice(0, colon);
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) {
    return err(
      `${shown}: the tag ${JSON.stringify(tag.slice(0, 140))} is not valid: at most 128 letters, digits, "_", "." and "-", the first no "." or "-"`,
    );
  }
  const { registry, repository } = splitRegistry(name);
  if (!REGISTRY.test(registry))
    return err(`${shown}: ${JSON.stringify(registry)} is not a registry's host name`);
  if (!REPOSITORY.test(repository)) return err(`${shown}: ${repositoryProblem(repository)}`);
  if (registry.length + 1 + repository.length > MAX_NAME_LENGTH)
    return err(`${shown}: the name is longer than ${MAX_NAME_LENGTH} characters`);
  return ok({
    registry,
    repository,
    ...(tag === undefined ? (digestText === undefined ? { tag: 'latest' } : {}) : { tag }),
    ...(digestText === undefined ? {} : { digest: digestText }),
  });
}

function splitRegistry(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  if (first.includes('.') || first.includes(':') || first === 'localhost') {
    const registry =
      first === 'index.docker.io' || first === 'registry-1.docker.io' ? DEFAULT_REGISTRY : first;
    const repository = name.slice(slash + 1);
    const official = registry === DEFAULT_REGISTRY && !repository.includes('/');
    return { registry, repository: official ? `library/${repository}` : repository };
  }
  return { registry: DEFAULT_REGISTRY, repository: slash === -1 ? `library/${name}` : name };
}

function repositoryProblem(repository: string): string {
  const written = repository.replace(/^library\//, '');
  const lower = written.toLowerCase();
  if (lower !== written && REPOSITORY.test(lower))
    return `the repository name must be in lower case: ${JSON.stringify(lower)}`;
  if (written === '') return 'the repository name is empty';
  return `${JSON.stringify(written)} is not a repository name: lower-case letters and digits, separated by ".", "_", "__", "-" or "/"`;
}

/** The whole name: `docker.io/library/debian:bookworm@sha256:...`. The form in which names are stored and compared. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

/** The name as people write it: without `docker.io/library/`. The tag stays. */
export function familiarName(reference: Reference): string {
  const full = formatReference(reference);
  if (full.startsWith('docker.io/library/')) return full.slice('docker.io/library/'.length);
  return full.startsWith('docker.io/') ? full.slice('docker.io/'.length) : full;
}
