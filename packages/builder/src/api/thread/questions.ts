import { blocksOf } from './blocks-of.ts';
import { RegistryError } from '@caisson/registry/errors';
import type { Credentials } from '@caisson/registry';
import { buildError } from '../../failure.ts';
import type { Answer, ContextPart, Question } from './protocol.ts';
import type { ContextPiece, GivenContext } from '../../context/given-context.ts';

/** As much is written at once: few that are large travel faster than many that are small. In bytes. */
const BLOCK = 1 << 18;

/** Who waits for an answer. */
interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

/** What a job asks its caller, and what is waiting for an answer. */
export class Questions {
  readonly #ask: (question: number, asked: Question) => void;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  /** Why nobody waits for answers any more. */
  #givenUp: { readonly reason: unknown } | undefined;

  /** @param ask sends a question */
  constructor(ask: (question: number, asked: Question) => void) {
    this.#ask = ask;
  }

  /** An answer came. */
  answered(question: number, answer: Answer): void {
    this.#waiting.get(question)?.resolve(answer);
    this.#waiting.delete(question);
  }

  /** Nobody waits for answers any more, nor asks: a function of the caller may never give one. */
  giveUp(reason: unknown): void {
    this.#givenUp ??= { reason };
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  #answerTo(asked: Question): Promise<Answer> {
    this.#last++;
    const question = this.#last;
    return new Promise((resolve, reject) => {
      if (this.#givenUp !== undefined) {
        reject(this.#givenUp.reason);
        return;
      }
      this.#waiting.set(question, { resolve, reject });
      this.#ask(question, asked);
    });
  }

  /** The value of a secret. @throws BuildError `missing-secret` */
  async secret(id: string): Promise<Uint8Array> {
    const answer = await this.#answerTo({ kind: 'secret', id });
    if (answer.kind === 'secret') return answer.bytes;
    const why = whyNot(answer);
    throw buildError('missing-secret', `the secret ${JSON.stringify(id)} cannot be had: ${why}`);
  }

  /** The credentials for a registry. @throws RegistryError `credentials` */
  async credentials(registry: string): Promise<Credentials | undefined> {
    const answer = await this.#answerTo({ kind: 'credentials', registry });
    if (answer.kind === 'credentials') return answer.credentials;
    throw new RegistryError(
      'credentials',
      `the credentials for ${registry} cannot be had: ${whyNot(answer)}`,
    );
  }

  /** The context, as it comes: the bytes of an archive, or files. @throws BuildError `fetch-failed` */
  async context(): Promise<AsyncIterable<Uint8Array> | GivenContext> {
    const first = await this.#nextPart();
    return first.kind === 'bytes' ? this.#bytes(first) : { pieces: this.#pieces(first) };
  }

  /** What a program is to read. @throws BuildError `invalid-request` */
  async *input(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const answer = await this.#answerTo({ kind: 'input' });
      if (answer.kind !== 'input')
        throw buildError('invalid-request', `options.input cannot be read: ${whyNot(answer)}`);
      if (answer.bytes === undefined) return;
      yield answer.bytes;
    }
  }

  /** Writes bytes to what the caller gave with an option, as fast as that takes them. @throws BuildError `output` */
  async write(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const block of blocksOf(bytes, BLOCK)) await this.put(path, block);
    await this.endOf(path);
  }

  /** Writes some bytes; resolved when there may be more. @throws BuildError `output` */
  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.#written({ kind: 'write', path, bytes });
  }

  /** There are no more; resolved when the destination has all of them. @throws BuildError `output` */
  async endOf(path: string): Promise<void> {
    await this.#written({ kind: 'write-end', path });
  }

  async #written(asked: Question): Promise<void> {
    const answer = await this.#answerTo(asked);
    if (answer.kind !== 'written') throw buildError('output', whyNot(answer));
  }

  async *#bytes(first: ContextPart): AsyncGenerator<Uint8Array> {
    for (let part = first; part.kind === 'bytes'; part = await this.#nextPart()) yield part.bytes;
  }

  async *#pieces(first: ContextPart): AsyncGenerator<ContextPiece> {
    for (let part = first; part.kind === 'pieces'; part = await this.#nextPart()) yield* part.pieces;
  }

  async #nextPart(): Promise<ContextPart> {
    const answer = await this.#answerTo({ kind: 'context' });
    if (answer.kind === 'context') return answer.part;
    throw buildError('invalid-request', `the build context cannot be read: ${whyNot(answer)}`);
  }
}

function whyNot(answer: Answer): string {
  if (answer.kind !== 'error') throw new Error(`Internal error: ${answer.kind} is no answer to this`);
  return answer.message;
}
