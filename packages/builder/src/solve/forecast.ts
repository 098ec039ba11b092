import type { MissReason } from './miss-reason.ts';
import { inputsFirst } from './inputs-first.ts';
import { stepKey, type KeyRecord, type StepKey } from './key.ts';
import type { Op } from './op.ts';

/** What a solver would do for an op. */
export type Forecast<T> =
  /** Nothing has to be looked up for it. */
  | { readonly kind: 'given'; readonly result: T }
  /** The cache has it. */
  | { readonly kind: 'hit'; readonly key: StepKey; readonly result: T }
  /** It would be executed. */
  | { readonly kind: 'miss'; readonly key: StepKey; readonly record: KeyRecord; readonly reason: MissReason }
  /** Its key is not known before these have been executed. */
  | { readonly kind: 'open'; readonly behind: ReadonlySet<Op<T>> };

/** Says what a solver would do for ops and all that they need, without executing anything. */
export async function forecast<T>(
  ops: Iterable<Op<T>>,
  signal: AbortSignal,
): Promise<Map<Op<T>, Forecast<T>>> {
  const forecasts = new Map<Op<T>, Forecast<T>>();
  for (const op of inputsFirst(...ops)) {
    signal.throwIfAborted();
    forecasts.set(op, await forecastOf(op, forecasts, signal));
  }
  return forecasts;
}

async function forecastOf<T>(
  op: Op<T>,
  known: ReadonlyMap<Op<T>, Forecast<T>>,
  signal: AbortSignal,
): Promise<Forecast<T>> {
  const inputs: T[] = [];
  const behind = new Set<Op<T>>();
  for (const input of op.inputs) {
    const of = known.get(input);
    if (of?.kind === 'given' || of?.kind === 'hit') inputs.push(of.result);
    if (of?.kind === 'miss') behind.add(input);
    if (of?.kind === 'open') for (const each of of.behind) behind.add(each);
  }
  if (behind.size > 0) return { kind: 'open', behind };
  const keyed = await op.key(inputs, signal);
  if (keyed.kind === 'result') return { kind: 'given', result: keyed.result };
  const { record } = keyed;
  const key = stepKey(record);
  const result = await op.find(key, inputs, signal);
  if (result !== undefined) return { kind: 'hit', key, result };
  return { kind: 'miss', key, record, reason: await op.explain(key, record, inputs) };
}
