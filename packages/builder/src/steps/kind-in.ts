import type { BytePath, ChainView, Kind } from '@caisson/layer';

/** What lies at a path of a state, for following paths through it. */
export function kindIn(view: ChainView, path: BytePath): Kind | undefined {
  const node = view.lookup(path)?.node;
  if (node === undefined) return undefined;
  if (node.type === 'symlink') return { type: 'symlink', target: node.target };
  return { type: node.type === 'directory' ? 'directory' : 'other' };
}
