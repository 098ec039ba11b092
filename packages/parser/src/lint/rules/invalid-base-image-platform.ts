import type { Rule } from '../rule.ts';

export const INVALID_BASE_IMAGE_PLATFORM: Rule = {
  description: 'Base image platform does not match expected target platform',
  why: 'The programs of an image for another platform do not run, or run in an emulator; and what is built on it is for that platform, too. Most often an image of that name was once pulled or built for another platform, and lies in the store.',
  wrong: '# where the store has a busybox for linux/arm64, and the build is for linux/amd64\nFROM busybox\n',
  right: '# with: caisson build --pull\nFROM busybox\n',
  needsBase: true,
  *check({ stages }) {
    for (const { stage, base } of stages) {
      if (base?.mismatch === undefined) continue;
      const { actual, expected } = base.mismatch;
      const { image } = stage.from;
      yield {
        range: image.range,
        message: `Base image ${image.text} was pulled with platform "${actual}", expected "${expected}" for current build`,
        hint: '--pull asks the registry for the right one',
      };
    }
  },
};
