import type { MissReason } from './miss-reason.ts';
import type { StepKey } from './key.ts';
import type { Keyed, Op } from './op.ts';

/** An op of the tests: its result is its name applied to those of its inputs; it counts what is asked of it. */
export class ToyOp implements Op<string> {
  readonly calls = { key: 0, find: 0, execute: 0 };
  readonly log: string[] = [];
  readonly observer = {
    onHit: (): void => void this.log.push('hit'),
    onStart: (): void => void this.log.push('start'),
    onDone: (): void => void this.log.push('done'),
    onFailure: (error: unknown): void => void this.log.push(`failure: ${String(error)}`),
    onCancel: (why: unknown): void => void this.log.push(`cancelled: ${String(why)}`),
  };
  readonly name: string;
  readonly inputs: readonly ToyOp[];
  readonly cache: Map<StepKey, string>;
  version = 1;
  /** What looking for its key takes. */
  keying: (signal?: AbortSignal) => Promise<void> = async () => {};
  work: (signal: AbortSignal) => Promise<void> = async () => {};

  constructor(name: string, inputs: readonly ToyOp[] = [], cache = new Map<StepKey, string>()) {
    this.name = name;
    this.inputs = inputs;
    this.cache = cache;
  }

  async key(inputs: readonly string[], signal?: AbortSignal): Promise<Keyed<string>> {
    this.calls.key++;
    await this.keying(signal);
    return {
      kind: 'key',
      record: { op: 'toy', version: this.version, name: this.name, inputs: [...inputs] },
    };
  }

  async find(key: StepKey): Promise<string | undefined> {
    this.calls.find++;
    return this.cache.get(key);
  }

  async explain(): Promise<MissReason> {
    return { kind: 'no-record' };
  }

  async execute({
    key,
    inputs,
    signal,
  }: {
    key: StepKey;
    inputs: readonly string[];
    signal: AbortSignal;
  }): Promise<string> {
    this.calls.execute++;
    await this.work(signal);
    const result = `${this.name}(${inputs.join()})`;
    this.cache.set(key, result);
    return result;
  }
}
