import { noteVariables } from '../variables.ts';
import type { Rule } from '../rule.ts';

export const INVALID_DEFAULT_ARG_IN_FROM: Rule = {
  description: 'Default value for global ARG results in an empty or invalid base image name',
  why: 'Somebody who builds without --build-arg gets an error: an ARG that names a base image needs a default that does.',
  wrong: 'ARG TAG\nFROM busybox:$TAG\n',
  right: 'ARG TAG=latest\nFROM busybox:$TAG\n',
  *check({ dockerfile, globalDefaults }) {
    if (globalDefaults === undefined) return;
    for (const { from } of dockerfile.stages) {
      const { text, range } = from.image;
      const { value, used } = noteVariables(text, globalDefaults, dockerfile.escape);
      if (value === undefined || used.size === 0 || isImageName(value)) continue;
      yield {
        range,
        message: `Default value for ARG ${text} results in empty or invalid base image name`,
        expected: `defaults that make it a name: without --build-arg it is ${JSON.stringify(value)}`,
      };
    }
  },
};

const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const IMAGE_NAME = new RegExp(
  String.raw`^(?:(?:[a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d+)?/)?${PART}(?:/${PART})*(?::\w[\w.-]{0,127})?(?:@[A-Za-z][\w+.-]*:[0-9a-fA-F]{32,})?$`,
);

/** Whether a text may be the name of an image. */
function isImageName(text: string): boolean {
  return IMAGE_NAME.test(text);
}
