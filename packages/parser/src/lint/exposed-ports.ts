import type { Range } from '../source-text.ts';
import type { LintedDockerfile } from './linted-dockerfile.ts';

/** A port of an EXPOSE, expanded. */
export interface ExposedPort {
  readonly text: string;
  readonly range: Range;
}

/** The ports of all EXPOSEs, as far as it is known what they are. */
export function* exposedPorts({ stages }: LintedDockerfile): Generator<ExposedPort> {
  for (const { instruction, scope } of stages.flatMap(({ instructions }) => instructions)) {
    if (instruction.kind !== 'expose') continue;
    for (const { text, range } of instruction.ports) {
      for (const word of scope.expandWords(text) ?? []) yield { text: word, range };
    }
  }
}
