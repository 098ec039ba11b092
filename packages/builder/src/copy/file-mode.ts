/** What `--chmod` says: a mode, or how each mode changes. */
export type FileMode =
  | { readonly kind: 'octal'; readonly mode: number }
  | { readonly kind: 'symbolic'; readonly text: string; readonly clauses: readonly Clause[] };

interface Clause {
  /** The bits of whom it speaks of: of u, g, o, and of the sticky bit. 0 where it names nobody. */
  readonly who: number;
  readonly operator: '+' | '-' | '=';
  /** `rwxXst`, or one of `ugo` for what those have. */
  readonly permissions: string;
}

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o0007, a: 0o6777 };
const STICKY = 0o1000;

/** Reads an octal mode or one as chmod(1) takes it: `u+x,go-w`; undefined for a text that is none. */
export function parseFileMode(text: string): FileMode | undefined {
  if (/^[0-7]{1,5}$/.test(text) && Number.parseInt(text, 8) <= 0o7777)
    return { kind: 'octal', mode: Number.parseInt(text, 8) };
  const clauses: Clause[] = [];
  for (const part of text.split(',')) {
    const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(part);
    if (match === null) return undefined;
    const [, whoText = '', changes = ''] = match;
    const named = [...whoText].reduce((bits, each) => bits | (WHO[each] ?? 0), 0);
    for (const [, operator = '', permissions = ''] of changes.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)) {
      if (operator === '+' || operator === '-' || operator === '=')
        clauses.push({ who: withSticky(named, permissions), operator, permissions });
    }
  }
  return { kind: 'symbolic', text, clauses };
}

/** The sticky bit belongs to whoever asks for it, but for others alone, which cannot have it: as in BSD, whose rules docker has. */
function withSticky(who: number, permissions: string): number {
  return permissions.includes('t') && who !== WHO['o'] ? who | STICKY : who;
}

/** The mode that a file or folder gets. */
export function applyFileMode(change: FileMode | undefined, mode: number, isFolder: boolean): number {
  if (change === undefined) return mode;
  if (change.kind === 'octal') return change.mode;
  // As in BSD, whose rules docker has: X speaks of the mode before all changes.
  const isExecutable = isFolder || (mode & 0o111) !== 0;
  return change.clauses.reduce((before, clause) => applyClause(clause, before, isExecutable), mode);
}

function applyClause({ who, operator, permissions }: Clause, before: number, isExecutable: boolean): number {
  const whom = who === 0 ? 0o6777 : who;
  const bits = bitsOf(permissions, before, isExecutable) & whom;
  switch (operator) {
    case '+':
      return before | bits;
    case '-':
      return before & ~bits;
    case '=':
      // The permissions of somebody else are all that is copied.
      return (before & ~(/^[ugo]$/.test(permissions) ? whom & 0o777 : whom)) | bits;
  }
}

function bitsOf(permissions: string, before: number, isExecutable: boolean): number {
  let bits = 0;
  for (const each of permissions) {
    if (each === 'r') bits |= 0o444;
    else if (each === 'w') bits |= 0o222;
    else if (each === 'x') bits |= 0o111;
    else if (each === 'X') bits |= isExecutable ? 0o111 : 0;
    else if (each === 's') bits |= 0o6000;
    else if (each === 't') bits |= 0o1000;
    else if (each === 'u') bits |= ((before >> 6) & 7) * 0o111;
    else if (each === 'g') bits |= ((before >> 3) & 7) * 0o111;
    else if (each === 'o') bits |= (before & 7) * 0o111;
  }
  return bits;
}
