import { details, type Rule } from '../rule.ts';

export const INVALID_BASE_IMAGE_PLATFORM: Rule = {
  description: 'Base image platform does not match expected target platform',
  why: 'The programs of an image for another platform do not run, or run in an emulator; and what is built on it is for that platform, too. The registry has the image for that one alone, and does not say so in an index.',
  wrong:
    '# where the registry has it for linux/arm64 alone, and the build is for linux/amd64\nFROM busybox\n',
  right: '# where the registry has an index that names one for linux/amd64\nFROM busybox\n',
  needsBase: true,
  *check({ stages }) {
    for (const { stage, base } of stages) {
      if (base?.mismatch === undefined) continue;
      const { actual, expected, meant } = base.mismatch;
      const { image, platform } = stage.from;
      const misspelt = meant === undefined || platform === undefined ? undefined : `--platform=${meant}`;
      yield {
        range: misspelt === undefined ? image.range : (platform ?? image).range,
        message: `Base image ${image.text} was pulled with platform "${actual}", expected "${expected}" for current build`,
        ...details({
          suggestion: misspelt,
          hint: misspelt === undefined ? `FROM --platform=${actual} takes it as it is` : undefined,
        }),
      };
    }
  },
};
