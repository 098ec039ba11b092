import * as z from 'zod/mini';
import { describeCredentials, type Credentials } from '../auth/credentials.ts';
import { RegistryError } from '../errors.ts';
import { MAX_TOKEN_ANSWER, readBody } from './body.ts';
import type { HttpResponse, Send } from './http.ts';
import { responseError } from './response-error.ts';
import { mergeScopes, type Scope } from './scope.ts';
import { waitFor } from './shared-work.ts';
import { MONOTONIC, type Clock } from './throttle.ts';
import { basicTokenRequest, realmUrl, tokenRequest, type TokenService } from './token-request.ts';

/** A token, and whether it was fetched for the caller or had been used before. */
export interface Token {
  readonly value: string;
  readonly isFresh: boolean;
}

const SHORTEST_LIFE = 60_000;
const LONGEST_LIFE = 24 * 60 * 60 * 1000;
/** Tokens are renewed this much before they end, so that they do not end on their way. */
const MARGIN = 5_000;

/** Why a token server may refuse a POST that a GET gets through. */
const POST_REFUSED: ReadonlySet<number> = new Set([400, 401, 404, 405]);

const answerSchema = z.looseObject({
  token: z.optional(z.string()),
  access_token: z.optional(z.string()),
  expires_in: z.optional(z.unknown()),
});

/**
 * The tokens of one registry: one a set of scopes, kept for as long as it lives, fetched once however many requests
 * wait for it.
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export class Tokens {
  readonly #registry: string;
  readonly #send: Send;
  readonly #clock: Clock;
  readonly #kept = new Map<string, { value: string; ends: number }>();
  readonly #underWay = new Map<string, Promise<string>>();

  /** @param send one that follows no redirects: credentials go where the challenge says, or nowhere */
  constructor(registry: string, send: Send, clock: Clock = MONOTONIC) {
    this.#registry = registry;
    this.#send = send;
    this.#clock = clock;
  }

  /**
   * @param from the registry's own URL: what it may name as a realm depends on it
   * @throws RegistryError
   */
  async get(
    from: URL,
    service: TokenService,
    wanted: readonly Scope[],
    credentials: Credentials | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Token> {
    const scopes = mergeScopes(wanted);
    const key = JSON.stringify([service.realm, service.service, scopes]);
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.ends > this.#clock.now()) return { value: kept.value, isFresh: false };
    let work = this.#underWay.get(key);
    if (work === undefined) {
      work = this.#fetch(from, service, scopes, credentials, key).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, work);
    }
    return { value: await waitFor(work, signal), isFresh: true };
  }

  /** Does not use a token again: a registry refused it. */
  forget(value: string): void {
    for (const [key, kept] of this.#kept) if (kept.value === value) this.#kept.delete(key);
  }

  async #fetch(
    from: URL,
    service: TokenService,
    scopes: readonly Scope[],
    credentials: Credentials | undefined,
    key: string,
  ): Promise<string> {
    const realm = realmUrl(from, service.realm);
    let response = await this.#send(tokenRequest(realm, service, scopes, credentials));
    if (credentials?.kind === 'identity-token' && POST_REFUSED.has(response.status)) {
      await response.discard();
      response = await this.#send(basicTokenRequest(realm, service, scopes, credentials));
    }
    const { value, life } = await this.#read(response, credentials);
    this.#kept.set(key, { value, ends: this.#clock.now() + life - MARGIN });
    return value;
  }

  async #read(
    response: HttpResponse,
    credentials: Credentials | undefined,
  ): Promise<{ value: string; life: number }> {
    const who = `the token server ${response.url.host} of ${this.#registry}`;
    if (response.status !== 200) throw await this.#refusal(response, credentials, who);
    const body = await readBody(response, MAX_TOKEN_ANSWER, `the answer of ${who}`);
    const answer = answerSchema.safeParse(parseJson(body));
    const value = answer.success ? (answer.data.token ?? answer.data.access_token) : undefined;
    if (value === undefined || !/^[\x21-\x7e]+$/.test(value)) {
      throw new RegistryError('invalid-response', `${who} answered without a token`);
    }
    const seconds = answer.data?.expires_in;
    const life = typeof seconds === 'number' && Number.isFinite(seconds) ? seconds * 1000 : SHORTEST_LIFE;
    return { value, life: Math.min(Math.max(life, SHORTEST_LIFE), LONGEST_LIFE) };
  }

  async #refusal(
    response: HttpResponse,
    credentials: Credentials | undefined,
    who: string,
  ): Promise<RegistryError> {
    if (response.status >= 300 && response.status < 400) {
      await response.discard();
      return new RegistryError(
        'unsafe-address',
        `${who} redirects, which is not followed: credentials would go elsewhere`,
      );
    }
    const error = await responseError(response, who, 'give a token');
    if (response.status !== 401 && response.status !== 403) return error;
    const refused =
      credentials === undefined ? 'to give a token without credentials' : describeCredentials(credentials);
    return new RegistryError('unauthorized', `${who} refused ${refused}`, { cause: error });
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return value;
  } catch {
    return undefined;
  }
}
