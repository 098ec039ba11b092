import { describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { test } from '../rig/world.ts';
import { lacks } from '../rig/tools.ts';

describe.skipIf(lacks('root'))('a source above its root', () => {
  test('is not there, and the message says why', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY a/../../x /\n' });
    expect(await failureOf(world)).toBe(
      `error[missing-source]: the build context has no x
  at Dockerfile:2:6
  1 | FROM scratch
> 2 | COPY a/../../x /
    |      ^^^^^^^^^
  hint: .. does not lead out of the build context
  see docs/errors.md#missing-source
exit code 1
`,
    );
    world.write({ Dockerfile: 'FROM scratch AS a\nCOPY y /\nFROM scratch\nCOPY --from=a /../x /\n', y: '' });
    expect(await failureOf(world)).toBe(
      `error[missing-source]: stage a has no x
  at Dockerfile:4:15
  3 | FROM scratch
> 4 | COPY --from=a /../x /
    |               ^^^^^
  hint: .. does not lead out of stage a
  see docs/errors.md#missing-source
exit code 1
`,
    );
  });

  test('is looked for below it, as with docker', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY ../y /\n', y: '' });
    await world.build();
  });
});
