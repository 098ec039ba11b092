import type { Rule } from '../rule.ts';

export const WORKDIR_RELATIVE_PATH: Rule = {
  description:
    'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
  why: 'A relative path is seen from the working folder of the base image, which the next version of that image may change.',
  wrong: 'FROM busybox\nWORKDIR app\n',
  right: 'FROM busybox\nWORKDIR /app\n',
  *check({ stages }) {
    for (const { instruction, scope } of stages.flatMap(({ instructions }) => instructions)) {
      if (instruction.kind !== 'workdir' || scope.hasWorkdir) continue;
      const path = scope.expand(instruction.value.text);
      if (path === undefined || path.startsWith('/')) continue;
      yield {
        range: instruction.value.range,
        message: `Relative workdir ${JSON.stringify(path)} can have unexpected results if the base image changes`,
        expected: 'an absolute path, at least in the first WORKDIR',
      };
    }
  },
};
