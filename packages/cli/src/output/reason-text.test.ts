import { expect, it } from 'vitest';
import { digestOf } from '@caisson/oci';
import { reasonText } from './reason-text.ts';

it('says why in one line, whatever files are called', () => {
  const path = 'a\nerror: \u001b[31mb';
  const files = [{ path, change: 'added', fields: [] }] as const;
  const changes = [{ kind: 'files', field: 'selection', files }] as const;
  expect(reasonText({ kind: 'changed', than: digestOf(''), changes })).toBe('a\\nerror: b: new');
});
