import { describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

describe.skipIf(lacks('root'))('what is named and not there', () => {
  test('is told before anything is built, with what was most likely meant', async ({ world }) => {
    world.write({ 'docker/Dockerfile': 'FROM scratch\n', 'token.txt': '' });
    const said = async (...args: readonly string[]): Promise<string> =>
      (await failureOf(world, ['build', ...args])).replaceAll(world.folder, '');
    expect(await said('-f', 'docker/Dokcerfile', '.')).toMatchInlineSnapshot(`
      "error[no-dockerfile]: there is no Dockerfile docker/Dokcerfile
        did you mean docker/Dockerfile?
        see docs/errors.md#no-dockerfile
      exit code 2
      "
    `);
    expect(await said('dokcer')).toMatchInlineSnapshot(`
      "error[invalid-request]: there is no folder /context/dokcer
        expected: a folder, an archive, the URL of one, or a git repository
        did you mean /context/docker?
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    expect(await said('--build-context', 'lib=dokcer', 'docker')).toMatchInlineSnapshot(`
      "error[invalid-request]: the build context lib: there is no folder /context/dokcer
        expected: a folder, an archive, the URL of one, or a git repository
        did you mean /context/docker?
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
    expect(await said('--secret', 'id=x,src=tokn.txt', '--ssh', 'default=id_rsa', 'docker'))
      .toMatchInlineSnapshot(`
      "error[invalid-request]: the secret "x": there is no file /context/tokn.txt
        expected: --secret id=x,src=FILE
        did you mean /context/token.txt?
        see docs/errors.md#invalid-request
      error[invalid-request]: the ssh agent "default": there is no file /context/id_rsa
        expected: --ssh default=SOCKET or --ssh default=KEY
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
  });
});
