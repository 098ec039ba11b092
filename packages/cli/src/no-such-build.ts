import type { FoundReport } from '@caisson/builder';
import { failureText, type Telling } from './failure-text.ts';
import type { Terminal } from './terminal.ts';

/** Tells why there is no build to look at. @param id what was asked for; undefined where the last build was meant */
export function tellNoBuild(
  terminal: Terminal,
  found: Exclude<FoundReport, { kind: 'report' }>,
  id: string | undefined,
): void {
  terminal.error(failureText(failureOf(found, id), terminal.hasColor));
}

const LIST = 'caisson builds';

function failureOf(found: Exclude<FoundReport, { kind: 'report' }>, id: string | undefined): Telling {
  const code = 'no-such-build';
  switch (found.kind) {
    case 'none':
      if (id === undefined)
        return { code, message: 'this store knows no build', hint: 'the last 50 builds are kept' };
      return {
        code,
        message: `this store knows no build ${JSON.stringify(id)}`,
        hint: `the last 50 builds are kept: ${LIST}`,
      };
    case 'several':
      return {
        code: 'ambiguous-build',
        message: `${found.ids.length} builds have an id that begins with ${id ?? ''}`,
        hint: `they are ${found.ids.join(', ')}: ${LIST}`,
      };
    case 'damaged':
      return { code, message: `the report of build ${found.id} cannot be read`, hint: `others are: ${LIST}` };
  }
}
