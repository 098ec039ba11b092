import type { NodeEntry } from '@caisson/layer';

/**
 * What the modes of files of a context count as: what they are, as with docker; or what git keeps of them, so that a
 * checkout with another umask is the same context.
 */
export type ContextModes = 'exact' | 'normal';

/**
 * Something of a context with the mode that it counts as. As with git, the owner's right to execute a file is all that
 * matters of its mode, and nothing of a folder's. Pipes and devices, which git does not know, stay as they are.
 */
export function withContextMode(entry: NodeEntry, modes: ContextModes): NodeEntry {
  if (modes === 'exact') return entry;
  if (entry.type === 'directory') return { ...entry, mode: 0o755 };
  if (entry.type !== 'file') return entry;
  return { ...entry, mode: (entry.mode & 0o100) === 0 ? 0o644 : 0o755 };
}
