import { statSync } from 'node:fs';
import { NAMESPACES_HINT, RuntimeError } from '../../errors.ts';
import type { LayerFiles, SandboxSpec } from '../../sandbox-spec.ts';

/** What somebody asks for and can have with namespaces only, in the order of what matters most. */
const REFUSED: readonly {
  readonly what: string;
  readonly isWanted: (spec: SandboxSpec<readonly LayerFiles[]>) => boolean;
}[] = [
  { what: 'cut a step off the network', isWanted: ({ network }) => network === 'none' },
  { what: 'limit the memory of a step', isWanted: ({ limits }) => limits?.memory !== undefined },
  { what: 'limit the processors of a step', isWanted: ({ limits }) => limits?.cpus !== undefined },
  { what: 'give a step a host name', isWanted: ({ hostname }) => hostname !== undefined },
  {
    what: 'show a folder of the host',
    isWanted: ({ mounts }) =>
      mounts.some(
        (mount) => mount.kind === 'folder' && !(mount.isReadOnly && statSync(mount.source).isFile()),
      ),
  },
  { what: 'show one cache in two places', isWanted: hasCacheTwice },
];

function hasCacheTwice({ mounts }: SandboxSpec<readonly LayerFiles[]>): boolean {
  const sources = mounts
    .filter(({ kind }) => kind === 'cache')
    .map((mount) => ('source' in mount ? mount.source : ''));
  return new Set(sources).size < sources.length;
}

/**
 * Makes sure that a sandbox is nothing that this isolation cannot give: it would rather run nothing than something else.
 * @throws RuntimeError `unsupported`
 */
export function refuseWhatCannotBe(spec: SandboxSpec<readonly LayerFiles[]>): void {
  const refused = REFUSED.find(({ isWanted }) => isWanted(spec));
  if (refused === undefined) return;
  throw new RuntimeError('unsupported', `isolation chroot cannot ${refused.what}`, {
    hint: `with namespaces it could: ${NAMESPACES_HINT}`,
  });
}
