import type { Op } from './op.ts';

/** An op and all that it needs, each behind its inputs. */
export function inputsFirst<T>(last: Op<T>): Op<T>[] {
  const ordered = new Set<Op<T>>();
  const open: { readonly op: Op<T>; next: number }[] = [{ op: last, next: 0 }];
  const seen = new Set<Op<T>>([last]);
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const input = top.op.inputs[top.next];
    top.next++;
    if (input === undefined) {
      ordered.add(top.op);
      open.pop();
    } else if (!seen.has(input)) {
      seen.add(input);
      open.push({ op: input, next: 0 });
    }
  }
  return [...ordered];
}
