import { noteVariables } from '../variables.ts';
import type { Rule } from '../rule.ts';

export const REDUNDANT_TARGET_PLATFORM: Rule = {
  description:
    'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  why: 'FROM takes the image for the platform that is built for, unless it says something else.',
  wrong: 'FROM --platform=$TARGETPLATFORM busybox\n',
  right: 'FROM busybox\n',
  *check({ dockerfile }) {
    for (const { from } of dockerfile.stages) {
      const written = from.platform?.value;
      if (
        from.platform === undefined ||
        written === undefined ||
        !isTargetPlatform(written, dockerfile.escape)
      )
        continue;
      yield {
        range: from.platform.range,
        message: `Setting platform to predefined ${written} in FROM is redundant as this is the default behavior`,
        expected: `FROM without ${dockerfile.source.text.slice(from.platform.range.start.offset, from.platform.range.end.offset)}`,
      };
    }
  },
};

/** Whether a value is nothing but this variable, whatever it is set to. */
function isTargetPlatform(text: string, escape: '\\' | '`'): boolean {
  const probe = 'linux/probe';
  const { value, used } = noteVariables(text, new Map([['TARGETPLATFORM', probe]]), escape);
  return value === probe && used.size === 1 && used.has('TARGETPLATFORM');
}
