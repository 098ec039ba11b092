import type { Op } from './op.ts';

/** Ops and all that they need, each behind its inputs. */
export function inputsFirst<T>(...ops: readonly Op<T>[]): Op<T>[] {
  const ordered = new Set<Op<T>>();
  const open: { readonly op: Op<T>; next: number }[] = [];
  const seen = new Set<Op<T>>();
  const enter = (op: Op<T>): void => {
    if (seen.has(op)) return;
    seen.add(op);
    open.push({ op, next: 0 });
  };
  for (const each of ops) {
    enter(each);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const input = top.op.inputs[top.next];
      top.next++;
      if (input !== undefined) enter(input);
      else {
        ordered.add(top.op);
        open.pop();
      }
    }
  }
  return [...ordered];
}
