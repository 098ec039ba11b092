import { parseReference, type Reference } from '@caisson/oci';
import { RegistryError } from '@caisson/registry/errors';
import { expect, test } from 'vitest';
import { tellMeaning } from './name-meaning.ts';

function reference(text: string): Reference {
  const parsed = parseReference(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

const nowhere = new RegistryError('unreachable', 'cannot find x', { hint: 'check the DNS' });
const refused = new RegistryError('denied', 'x does not allow it', { hint: 'docker login' });
const broken = new RegistryError('digest-mismatch', 'these are other bytes');

async function told(name: string, error: Error, options = {}): Promise<unknown> {
  try {
    return await tellMeaning(reference(name), () => Promise.reject(error), options);
  } catch (thrown) {
    if (!(thrown instanceof RegistryError)) return thrown;
    const { code, message, hint } = thrown;
    return { code, message, hint };
  }
}

test('a name without a registry is said to be one of Docker Hub, where that may be what is wrong', async () => {
  const { code, message } = nowhere;
  expect(await told('app:1', nowhere)).toEqual({ code, message, hint: 'app means docker.io/library/app' });
  expect(await told('team/app', nowhere, { before: 'the store has no image team/app' })).toEqual({
    code,
    message: 'the store has no image team/app, and cannot find x',
    hint: 'team/app means docker.io/team/app',
  });
  expect(await told('app', refused, { advice: 'caisson tag' })).toEqual({
    code: 'denied',
    message: 'x does not allow it',
    hint: 'app means docker.io/library/app: caisson tag; docker login',
  });
});

test('other names and other errors are left as they are', async () => {
  const { code, message, hint } = nowhere;
  expect(await told('example.com/app', nowhere, { advice: 'caisson tag' })).toEqual({ code, message, hint });
  expect(await told('app', broken)).toMatchObject({ message: 'these are other bytes', hint: undefined });
  const bug = new Error('a bug');
  expect(await told('app', bug)).toBe(bug);
  expect(await tellMeaning(reference('app'), () => Promise.resolve(1))).toBe(1);
});
