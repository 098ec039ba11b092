import { basicHeader, describeCredentials, type Credentials } from '../auth/credentials.ts';
import { RegistryError } from '../errors.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import type { HttpRequest, HttpResponse, Send } from './http.ts';
import { readRegistryErrors } from './registry-errors.ts';
import { mergeScopes, type Scope } from './scope.ts';
import { waitFor } from './shared-work.ts';
import type { Tokens } from './tokens.ts';

/** A request to the registry itself, with what it needs there. */
export interface AuthorizedRequest extends HttpRequest {
  readonly scopes: readonly Scope[];
  /** What it is for, of the sentence `asks for credentials to ...`. */
  readonly doing: string;
}

/** What an authorizer works for and with. */
export interface AuthorizerOptions {
  /** The registry, as images name it. */
  readonly registry: string;
  readonly tokens: Tokens;
  /** Looks the registry's credentials up. Asked again after they were refused: helpers renew them. */
  readonly findCredentials: () => Promise<Credentials | undefined>;
  /** Where credentials were looked for, for the message that none were found. */
  readonly lookedIn: readonly string[];
}

interface Proof {
  readonly header: string;
  /** The token in it, where it is one of a token server. */
  readonly token?: string;
  /** Whether it was made for this request, so that making it again gives nothing new. */
  readonly isFresh: boolean;
  readonly scopes: readonly Scope[];
}

/** A first answer without credentials, one with those that are known, one with a wider scope: then it is refused. */
const MOST_ROUNDS = 3;

/**
 * Adds credentials to requests, once a registry has asked for them. They are added for the registry's own origin
 * only: the caller sends nothing else through here, and a challenge of an origin that a redirect led to is not answered.
 */
export class Authorizer {
  readonly #send: Send;
  readonly #options: AuthorizerOptions;
  #challenge: Challenge | undefined;
  #credentials: Promise<Credentials | undefined> | undefined;

  /** @param send one that drops credentials where a redirect leaves the origin */
  constructor(send: Send, options: AuthorizerOptions) {
    this.#send = send;
    this.#options = options;
  }

  /** @throws RegistryError `unauthorized`, `denied`, and what the connection throws */
  async send(request: AuthorizedRequest): Promise<HttpResponse> {
    const known = this.#challenge;
    let proof =
      known === undefined ? undefined : await this.#prove(known, request, mergeScopes(request.scopes));
    for (let round = 1; ; round++) {
      const response = await this.#send(withProof(request, proof));
      const challenges = challengesOf(request, response);
      if (challenges === undefined) return response;
      const challenge = choose(challenges);
      const next =
        challenge === undefined || round === MOST_ROUNDS
          ? undefined
          : await this.#answer(challenge, request, proof);
      if (next === undefined) throw await this.#refused(request, response, proof, challenge);
      await response.discard();
      this.#challenge = challenge;
      proof = next;
    }
  }

  /** Whose credentials are in use, for messages; undefined where none are. */
  async describe(): Promise<string | undefined> {
    const credentials = await this.#credentials;
    return credentials === undefined ? undefined : describeCredentials(credentials);
  }

  /** A proof that answers a challenge and differs from the one that was refused; undefined where there is none. */
  async #answer(
    challenge: Challenge,
    request: AuthorizedRequest,
    refused: Proof | undefined,
  ): Promise<Proof | undefined> {
    if (refused?.token !== undefined) this.#options.tokens.forget(refused.token);
    else if (refused !== undefined) this.#credentials = undefined;
    const asked = challenge.parameters['scope']?.split(' ') ?? [];
    const scopes = mergeScopes([...request.scopes, ...asked, ...(refused?.scopes ?? [])]);
    const next = await this.#prove(challenge, request, scopes);
    if (next === undefined || refused === undefined) return next;
    if (refused.token === undefined) return next.header === refused.header ? undefined : next;
    return refused.isFresh && sameScopes(next.scopes, refused.scopes) ? undefined : next;
  }

  /** What the credentials make of a challenge; undefined where they are of no use for it. */
  async #prove(
    challenge: Challenge,
    request: AuthorizedRequest,
    scopes: readonly Scope[],
  ): Promise<Proof | undefined> {
    const credentials = await this.#lookUp(request.signal);
    if (credentials?.kind === 'bearer-token') {
      return { header: `Bearer ${credentials.token}`, isFresh: false, scopes: [] };
    }
    if (challenge.scheme === 'basic') {
      if (credentials?.kind !== 'password') return undefined;
      const header = basicHeader(credentials.username, credentials.password);
      return { header, isFresh: false, scopes: [] };
    }
    const { realm = '', service } = challenge.parameters;
    try {
      const { tokens } = this.#options;
      const token = await tokens.get(request.url, { realm, service }, scopes, credentials, request.signal);
      return { header: `Bearer ${token.value}`, token: token.value, isFresh: token.isFresh, scopes };
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'unauthorized') throw error;
      this.#credentials = undefined; // renewed ones may do
      if (credentials === undefined) throw this.#noneFound(request, '');
      const { registry } = this.#options;
      throw new RegistryError(error.code, error.message, { hint: `${logIn(registry)} again`, cause: error });
    }
  }

  async #lookUp(signal: AbortSignal | undefined): Promise<Credentials | undefined> {
    this.#credentials ??= this.#options.findCredentials();
    const work = this.#credentials;
    try {
      return await waitFor(work, signal);
    } catch (error) {
      if (this.#credentials === work && signal?.aborted !== true) this.#credentials = undefined;
      throw error;
    }
  }

  async #refused(
    request: AuthorizedRequest,
    response: HttpResponse,
    proof: Proof | undefined,
    challenge: Challenge | undefined,
  ): Promise<RegistryError> {
    const { registry } = this.#options;
    const errors = await readRegistryErrors(response);
    const said = errors.text === '' ? '' : ` (it says: ${errors.text})`;
    const credentials = await this.#credentials;
    if (challenge === undefined) {
      return new RegistryError(
        'unauthorized',
        `the registry ${registry} asks for credentials to ${request.doing} in a way that is not supported${said}`,
        { hint: 'basic authentication and bearer tokens are' },
      );
    }
    if (credentials === undefined) {
      return this.#noneFound(request, said);
    }
    const whose = describeCredentials(credentials);
    if (proof?.token !== undefined) {
      return new RegistryError(
        'denied',
        `the registry ${registry} does not allow to ${request.doing} with ${whose}${said}`,
      );
    }
    return new RegistryError('unauthorized', `the registry ${registry} refused ${whose}${said}`, {
      hint: `${logIn(registry)} again`,
    });
  }

  #noneFound(request: AuthorizedRequest, said: string): RegistryError {
    const { registry, lookedIn } = this.#options;
    return new RegistryError(
      'unauthorized',
      `the registry ${registry} asks for credentials to ${request.doing}, and none were found for it${said}`,
      { hint: `${logIn(registry)}; looked in ${lookedIn.join(', ')}` },
    );
  }
}

function logIn(registry: string): string {
  return `log in, for example with "docker login ${registry}"`;
}

function withProof(request: AuthorizedRequest, proof: Proof | undefined): HttpRequest {
  const { scopes: _scopes, doing: _doing, ...plain } = request;
  if (proof === undefined) return plain;
  return { ...plain, headers: { ...plain.headers, authorization: proof.header } };
}

/** The challenges of an answer that asks for (other) credentials; undefined where it does not, or is not the registry's. */
function challengesOf(request: HttpRequest, response: HttpResponse): Challenge[] | undefined {
  if (response.url.origin !== request.url.origin) return undefined;
  if (response.status !== 401 && response.status !== 403) return undefined;
  const challenges = parseChallenges(response.headers.all('www-authenticate'));
  if (response.status === 401) return challenges;
  const isScope = challenges.some(({ parameters }) => parameters['error'] === 'insufficient_scope');
  return isScope ? challenges : undefined;
}

function choose(challenges: readonly Challenge[]): Challenge | undefined {
  return (
    challenges.find(({ scheme }) => scheme === 'bearer') ??
    challenges.find(({ scheme }) => scheme === 'basic')
  );
}

function sameScopes(a: readonly Scope[], b: readonly Scope[]): boolean {
  return a.join(' ') === b.join(' ');
}
