import { expect, test } from 'vitest';
import { buildTitle } from './build-title.ts';

const report = { names: [], dockerfile: 'Dockerfile', target: 'stage-1' };

test.for([
  [undefined, 'Dockerfile stage-1'],
  ['/', 'Dockerfile stage-1'],
  ['/home/u/api', 'api/Dockerfile stage-1'],
  ['https://example.com/team/app.git#main:web', 'app/Dockerfile stage-1'],
  ['https://example.com/files/context.tar.gz', 'context.tar.gz/Dockerfile stage-1'],
  ['https://example.com', 'example.com/Dockerfile stage-1'],
  ['ssh://git@example.com/team/app/', 'app/Dockerfile stage-1'],
])('a build of %s without a name is %s', ([context, title]) => {
  expect(buildTitle({ ...report, ...(context === undefined ? {} : { context }) })).toBe(title);
});

test('a Dockerfile that does not lie in the context is told in full', () => {
  const given = { ...report, context: '/home/u/api', target: 'web' };
  expect(buildTitle({ ...given, dockerfile: 'docker/Dockerfile' })).toBe('api/docker/Dockerfile web');
  expect(buildTitle({ ...given, dockerfile: '/srv/Dockerfile' })).toBe('/srv/Dockerfile web of api');
  expect(buildTitle({ ...given, dockerfile: 'https://example.com/Dockerfile' })).toBe(
    'https://example.com/Dockerfile web of api',
  );
});

test('names say more', () => {
  const names = ['docker.io/library/app:latest', 'example.com/app:2'];
  expect(buildTitle({ ...report, context: '/home/u/api', names })).toBe('app:latest, example.com/app:2');
});
