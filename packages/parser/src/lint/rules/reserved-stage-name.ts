import type { Rule } from '../rule.ts';

const RESERVED = new Set(['scratch', 'context']);

export const RESERVED_STAGE_NAME: Rule = {
  description: 'Reserved words should not be used as stage names',
  why: '`FROM scratch` begins with nothing, and `context` is the build context. A stage of that name takes their place, which nobody expects who reads what comes after it.',
  wrong: 'FROM busybox AS scratch\n',
  right: 'FROM busybox AS base\n',
  *check({ dockerfile }) {
    for (const { name, from } of dockerfile.stages) {
      if (name === undefined || from.stageName === undefined || !RESERVED.has(name)) continue;
      yield {
        range: from.stageName.range,
        message: `Stage name should not use the same name as reserved stage ${JSON.stringify(name)}`,
        expected: 'any other name',
      };
    }
  },
};
