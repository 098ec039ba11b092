import { describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

describe.skipIf(lacks('root'))('the lint in a build', () => {
  test('tells warnings, but not with --quiet', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch AS Build\nCOPY Dockerfile /\n' });
    const { stderr } = await world.ok(['build', '.']);
    expect(stderr.match(/warning\[\w+\].*/g)).toEqual([
      "warning[StageNameCasing]: Stage name 'Build' should be lowercase",
    ]);
    expect(stderr).toContain('  see docs/rules/StageNameCasing.md\n');
    expect((await world.ok(['build', '-q', '.'])).stderr).toBe('');
    expect((await world.ok(['build', '--progress=quiet', '.'])).stderr).toBe('');
  });

  test('of which a target needs a part tells what that part has', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch AS a\nCMD a\nFROM scratch AS b\nCOPY Dockerfile /\n' });
    expect((await world.ok(['build', '.'])).stderr).not.toContain('warning');
  });

  test('fails where the Dockerfile makes errors of warnings', async ({ world }) => {
    world.write({ Dockerfile: '# check=error=true\nFROM scratch AS A\nCMD a\nCMD b\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "warning[StageNameCasing]: Stage name 'A' should be lowercase
        at Dockerfile:2:17
        1 | # check=error=true
      > 2 | FROM scratch AS A
          |                 ^
        did you mean a?
        see docs/rules/StageNameCasing.md
      warning[MultipleInstructionsDisallowed]: Multiple CMD instructions should not be used in the same stage because only the last one will be used
        at Dockerfile:3:1
        2 | FROM scratch AS A
      > 3 | CMD a
          | ^^^
        hint: line 4 is the one that counts
        see docs/rules/MultipleInstructionsDisallowed.md
      warning[JSONArgsRecommended]: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
        at Dockerfile:3:5
        2 | FROM scratch AS A
      > 3 | CMD a
          |     ^
        did you mean CMD ["a"]?
        see docs/rules/JSONArgsRecommended.md
      warning[JSONArgsRecommended]: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
        at Dockerfile:4:5
        3 | CMD a
      > 4 | CMD b
          |     ^
        did you mean CMD ["b"]?
        see docs/rules/JSONArgsRecommended.md
      error[lint-violation]: lint violation found for rules: StageNameCasing, MultipleInstructionsDisallowed, JSONArgsRecommended
        at Dockerfile:1:1
      > 1 | # check=error=true
          | ^^^^^^^^^^^^^^^^^^
        hint: check=error=true makes errors of warnings
        see docs/errors.md#lint-violation
      exit code 1
      "
    `);
    // A build arg takes the place of the directive.
    await world.build(['--build-arg', 'BUILDKIT_DOCKERFILE_CHECK=skip=all']);
    expect(await failureOf(world, ['build', '--build-arg', 'BUILDKIT_DOCKERFILE_CHECK=skip=al', '.']))
      .toMatchInlineSnapshot(`
        "error[invalid-request]: the build arg BUILDKIT_DOCKERFILE_CHECK: there is no rule "al"
          expected: rules of docs/rules with a comma between them, or all
          see docs/errors.md#invalid-request
        exit code 2
        "
      `);
  });
});
