import { expect, test } from 'vitest';
import { ok } from './result.ts';
import { parseRunMount } from './run-mount.ts';

/** The last of the words that say so counts, and what it is given: asked of docker. */
test.each([
  ['type=bind,target=/c', true],
  ['type=bind,target=/c,readonly=false', false],
  ['type=bind,target=/c,rw', false],
  ['type=bind,target=/c,rw=false', true],
  ['type=bind,target=/c,rw,ro', true],
  ['type=bind,target=/c,ro,rw', false],
  ['type=cache,target=/c', false],
  ['type=cache,target=/c,ro', true],
  ['type=cache,target=/c,rw=false', true],
  ['type=cache,target=/c,ro,rw', false],
  ['type=cache,target=/c,rw,readonly=false', false],
])('%s is read-only: %s', (text, isReadOnly) => {
  expect(parseRunMount(text, ok)).toMatchObject({ ok: true, value: { isReadOnly } });
});

/** It is mounted on the working folder then: asked of docker. */
test.each(['type=bind', 'type=cache,id=a', 'type=tmpfs', 'source=a', 'target='])(
  '%s has no target',
  (text) => {
    expect(parseRunMount(text, ok)).toMatchObject({ ok: true, value: { target: '' } });
  },
);
