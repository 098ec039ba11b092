import { expect, test } from 'vitest';
import { insteadOfCommand, insteadOfFlag } from './words-of-docker.ts';

test('commands of docker have something in their place, others have not', () => {
  expect(insteadOfCommand('login')).toBe(
    'credentials are those of docker login, or of skopeo login --authfile ~/.docker/config.json REGISTRY',
  );
  expect(insteadOfCommand('ps')).toBe('a container of caisson run is gone when it ends: there are no others');
  for (const name of ['biuld', 'toString', '']) expect(insteadOfCommand(name)).toBeUndefined();
});

test('so have flags, as they are written: -p is none of build', () => {
  expect(insteadOfFlag('run', '-p')).toBe(insteadOfFlag('run', '--publish'));
  expect(insteadOfFlag('run', '-p')).toMatch(/^the network is the host's/);
  expect(insteadOfFlag('prune', '--volumes')).toBe('there are none; cache mounts are removed too');
  for (const [command, flag] of [
    ['build', '-p'],
    ['run', '--p'],
    ['run', '-name'],
    ['images', '--volumes'],
    ['build', '--toString'],
    ['toString', '--name'],
  ] as const)
    expect(insteadOfFlag(command, flag)).toBeUndefined();
});
