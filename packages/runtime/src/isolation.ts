import { availableRuntimes } from './available-runtimes.ts';
import { RuntimeError } from './errors.ts';
import type { Isolation, RuntimeName } from './sandbox-spec.ts';

/** How strong sandboxes can be, the strongest first. */
export const ISOLATIONS: readonly Isolation[] = ['oci', 'namespaces', 'chroot'];

/** How strong the sandboxes are that a runtime makes. */
export function isolationOf(runtime: RuntimeName): Isolation {
  switch (runtime) {
    case 'crun':
    case 'runc':
      return 'oci';
    case 'namespaces':
    case 'chroot':
      return runtime;
  }
}

/** What may run steps. */
export interface RuntimeChoice {
  /** In the order in which they are tried; where it is not given, what there is. */
  readonly runtimes?: readonly RuntimeName[] | undefined;
  /** Nothing weaker runs anything. */
  readonly minIsolation?: Isolation | undefined;
}

/**
 * The runtimes to try, in this order.
 * @throws RuntimeError `unsupported` where none is strong enough
 */
export function chooseRuntimes({ runtimes, minIsolation = 'chroot' }: RuntimeChoice): readonly RuntimeName[] {
  const all = runtimes ?? availableRuntimes();
  const weakest = ISOLATIONS.indexOf(minIsolation);
  const chosen = all.filter((runtime) => ISOLATIONS.indexOf(isolationOf(runtime)) <= weakest);
  if (chosen.length > 0) return chosen;
  const there = all.map((runtime) => `${runtime} (${isolationOf(runtime)})`).join(', ');
  throw new RuntimeError(
    'unsupported',
    `no runtime here isolates steps as ${minIsolation} or better: ${there}`,
    {
      hint:
        minIsolation === 'oci'
          ? 'apt-get install crun, or --min-isolation namespaces'
          : `--min-isolation ${all.map(isolationOf)[0] ?? 'chroot'}`,
    },
  );
}
