import type { Rule } from '../rule.ts';

export const DUPLICATE_STAGE_NAME: Rule = {
  description: 'Stage names should be unique',
  why: 'Of stages with one name, FROM takes the nearest one above it, and `COPY --from` and `--target` the last one: it is hard to see which is meant.',
  wrong: 'FROM scratch AS build\nFROM scratch AS build\n',
  right: 'FROM scratch AS build\nFROM scratch AS test\n',
  *check({ dockerfile }) {
    const lines = new Map<string, number>();
    for (const { name, from } of dockerfile.stages) {
      if (name === undefined || from.stageName === undefined) continue;
      const line = lines.get(name);
      lines.set(name, line ?? from.stageName.range.start.line);
      if (line === undefined) continue;
      yield {
        range: from.stageName.range,
        message: `Duplicate stage name ${JSON.stringify(name)}, stage names should be unique`,
        hint: `line ${line} has it`,
      };
    }
  },
};
