import { styleText } from 'node:util';

/** What lines are drawn with. */
export interface Theme {
  readonly glyphs: Glyphs;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly green: (text: string) => string;
  readonly red: (text: string) => string;
  readonly cyan: (text: string) => string;
}

interface Glyphs {
  readonly running: string;
  readonly done: string;
  readonly failed: string;
  readonly cancelled: string;
  readonly down: string;
  readonly up: string;
  readonly read: string;
  readonly tail: string;
  readonly full: string;
  readonly empty: string;
}

const UNICODE: Glyphs = {
  running: '●',
  done: '✓',
  failed: '✗',
  cancelled: '⊘',
  down: '↓',
  up: '↑',
  read: '→',
  tail: '│',
  full: '━',
  empty: '─',
};

const ASCII: Glyphs = {
  running: '*',
  done: '+',
  failed: 'x',
  cancelled: 'o',
  down: '<',
  up: '>',
  read: '=',
  tail: '|',
  full: '#',
  empty: '-',
};

/** The console of Linux has few characters. */
export function themeFor(env: Readonly<Record<string, string | undefined>>, hasColor: boolean): Theme {
  const styled = (format: 'dim' | 'bold' | 'green' | 'red' | 'cyan') => (text: string) =>
    hasColor ? styleText(format, text, { validateStream: false }) : text;
  return {
    glyphs: env['TERM'] === 'linux' ? ASCII : UNICODE,
    dim: styled('dim'),
    bold: styled('bold'),
    green: styled('green'),
    red: styled('red'),
    cyan: styled('cyan'),
  };
}
