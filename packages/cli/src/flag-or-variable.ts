import type { Terminal } from './terminal.ts';

/** A value, and the flag or the variable that gave it: that is what an error names. */
export interface Given {
  readonly by: string;
  readonly value: string;
}

/** What a flag says, else what a variable says that is not empty. */
export function flagOrVariable(
  flag: string,
  value: string | undefined,
  variable: string,
  { env }: Pick<Terminal, 'env'>,
): Given | undefined {
  if (value !== undefined) return { by: flag, value };
  const other = env[variable];
  return other === undefined || other === '' ? undefined : { by: variable, value: other };
}
