import { describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

// What every object of JavaScript has is no member of any table of ours.
describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('names like constructor', () => {
  test('are names like others', async ({ world }) => {
    world.write({
      'constructor/Dockerfile': `FROM busybox AS constructor
ARG toString=unset
ENV constructor=b __proto__=c valueOf=$toString
LABEL constructor=y hasOwnProperty=$valueOf
RUN echo "$toString $constructor $__proto__ $valueOf|$isPrototypeOf" > /out
FROM busybox AS tostring
COPY --from=constructor /out /constructor
RUN --mount=type=cache,id=constructor,target=/c cat /constructor
`,
    });
    const args = ['--target', 'tostring', '--build-arg', 'toString=a', '--label', 'toString=z'];
    await world.ok(['build', ...args, '-t', 'constructor', 'constructor']);
    expect((await world.ok(['run', 'constructor', 'cat', '/constructor'])).stdout).toBe('a b c a|\n');
    expect((await world.run(['toString'])).stderr).toContain('there is no command "toString"');
  });

  test('that are wrong are errors like others', async ({ world }) => {
    world.write({ Dockerfile: 'FROM busybox\nRUN --mount=constructor=x,type=bind true\n' });
    expect(await failureOf(world)).toContain('a mount of type bind has no "constructor"\n');
    world.write({ Dockerfile: 'FROM busybox\nLABEL __proto__=x\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[invalid-request]: a label cannot be called "__proto__"
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    world.write({ Dockerfile: 'FROM busybox\nVOLUME __proto__\n' });
    expect(await failureOf(world)).toContain(
      'error[invalid-request]: a volume cannot be called "__proto__"\n',
    );
  });
});
