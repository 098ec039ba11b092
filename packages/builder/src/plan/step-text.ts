import { heredocText, type Heredoc } from '@caisson/parser';
import { withoutCredentials } from '../without-credentials.ts';

/** What people see of a step: its instruction in one line. */
export function stepText({
  text,
  kind,
  ...rest
}: {
  readonly text: string;
  readonly kind: string;
  readonly heredocs?: readonly Heredoc[];
}): string {
  const [first] = rest.heredocs ?? [];
  const line = kind === 'run' && first !== undefined ? `${text} (${summary(heredocText(first))})` : text;
  return withoutCredentials(line.replace(/\s+/g, ' '));
}

function summary(text: string): string {
  const lines = text.trim().split('\n');
  return lines.length > 1 ? `${lines[0] ?? ''}...` : (lines[0] ?? '');
}
