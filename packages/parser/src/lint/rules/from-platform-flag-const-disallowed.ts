import type { Rule } from '../rule.ts';
import { noteVariables } from '../variables.ts';

/** Other names of architectures. */
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    aarch64: 'arm64',
    armel: 'arm',
    armhf: 'arm',
    i386: '386',
    'x86-64': 'amd64',
    x86_64: 'amd64',
  }),
);

export const FROM_PLATFORM_FLAG_CONST_DISALLOWED: Rule = {
  description: 'FROM --platform flag should not use a constant value',
  why: 'Such a stage is for one platform, whatever is built for. A stage that is meant to be so says it in its name.',
  wrong: 'FROM --platform=linux/amd64 busybox AS build\n',
  right:
    'FROM --platform=$BUILDPLATFORM busybox AS build\n\nFROM --platform=linux/amd64 busybox AS build-amd64\n',
  *check({ dockerfile }) {
    for (const { name, from } of dockerfile.stages) {
      const platform = from.platform?.value;
      if (from.platform === undefined || platform === undefined || platform === '') continue;
      const { value, used } = noteVariables(platform, new Map(), dockerfile.escape);
      if (value === undefined || used.size > 0) continue;
      if (wordsOf(value).some((word) => name?.includes(word) === true)) continue;
      yield {
        range: from.platform.range,
        message: `FROM --platform flag should not use constant value ${JSON.stringify(value)}`,
        expected: '--platform=$BUILDPLATFORM, none, or a stage that has the platform in its name',
      };
    }
  },
};

/** The system and the architecture that a platform means. */
function wordsOf(platform: string): string[] {
  const [first = '', second] = platform.toLowerCase().split('/');
  const words = second === undefined ? ['linux', first] : [first, second];
  return words.map((word) => ALIASES.get(word) ?? word);
}
