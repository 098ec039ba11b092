import type { Credentials } from '@caisson/registry';
import type { RegistryAccessOptions, Secret } from '../build-options.ts';
import type { Answer, Question } from '../thread/protocol.ts';
import type { GivenParts } from './context-parts.ts';
import type { GivenInput } from './given-input.ts';
import { DestinationError } from './destination-feed.ts';
import { Destinations } from './destinations.ts';

/** The functions and streams of a caller, which give what a job asks for. */
export interface GivenFunctions {
  readonly secrets: ReadonlyMap<string, Extract<Secret, () => unknown>>;
  readonly credentials: RegistryAccessOptions['credentials'];
  /** The parts of a context that has no path. */
  readonly context: GivenParts | undefined;
  readonly destinations: Destinations;
  /** What a program reads. */
  readonly input?: GivenInput;
}

/** Answers the questions of a job with the functions of its caller. */
export class Answers {
  readonly #given: GivenFunctions;
  #thrown: unknown;

  constructor(given: GivenFunctions) {
    this.#given = given;
  }

  /** What one of the functions threw last. */
  get thrown(): unknown {
    return this.#thrown;
  }

  async to(question: Question): Promise<Answer> {
    try {
      return await this.#answer(question);
    } catch (error) {
      this.#thrown = error instanceof DestinationError ? error.cause : error;
      return { kind: 'error', message: error instanceof Error ? error.message : String(error) };
    }
  }

  async #answer(question: Question): Promise<Answer> {
    const { secrets, credentials, context, destinations } = this.#given;
    switch (question.kind) {
      case 'secret':
        return { kind: 'secret', bytes: secretBytes(await secrets.get(question.id)?.()) };
      case 'credentials': {
        const found = await credentials?.(question.registry);
        return { kind: 'credentials', credentials: found === undefined ? undefined : credentialsOf(found) };
      }
      case 'context': {
        const part = await context?.next();
        return { kind: 'context', part: part ?? { kind: 'end' } };
      }
      case 'input':
        return { kind: 'input', bytes: await this.#given.input?.next() };
      case 'write':
        await destinations.put(question.path, question.bytes);
        return { kind: 'written' };
      case 'write-end':
        await destinations.end(question.path);
        return { kind: 'written' };
    }
  }

  /** The job has ended: nothing more is taken of the context, nor written. @param error why, where it failed */
  end(error?: Error): void {
    this.#given.context?.stop();
    this.#given.input?.stop();
    this.#given.destinations.close(error);
  }
}

/** What a job has that asks for nothing. */
export const NOTHING = {
  secrets: new Map(),
  credentials: undefined,
  context: undefined,
  destinations: new Destinations(),
} satisfies GivenFunctions;

/** Of a job that asks for nothing but credentials. */
export function registryAnswers({ credentials }: RegistryAccessOptions = {}): Answers {
  return new Answers({ ...NOTHING, credentials });
}

/** Of a job that asks for nothing. */
export const NO_ANSWERS = registryAnswers();

function secretBytes(value: unknown): Uint8Array {
  if (typeof value === 'string') return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return new Uint8Array(value);
  throw new Error(`its function gave ${kindOf(value)}, neither a text nor bytes`);
}

/** Callers without types may give anything. */
function credentialsOf(found: object): Credentials {
  const origin = 'the credentials function';
  const { username, password, token, identityToken }: Partial<Record<string, unknown>> = { ...found };
  if (typeof token === 'string') return { kind: 'bearer-token', token, origin };
  if (typeof identityToken === 'string') return { kind: 'identity-token', token: identityToken, origin };
  if (typeof username === 'string' && typeof password === 'string')
    return { kind: 'password', username, password, origin };
  throw new Error('their function gave neither { username, password }, { token } nor { identityToken }');
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  return value === null ? 'null' : `a ${typeof value}`;
}
