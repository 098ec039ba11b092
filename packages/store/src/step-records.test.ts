import { describe, expect, it } from 'vitest';
import { digestOf } from '@caisson/oci';
import { parseStepRecord } from './step-records.ts';

const DIGEST = digestOf('');
const RECORD = {
  version: 2,
  key: DIGEST,
  keyRecord: { op: 'run', version: 1 },
  layer: { diffId: DIGEST, size: 1024, contentDigest: DIGEST },
  created: '2026-01-02T03:04:05.678Z',
  stage: '0',
  dockerfile: 'Dockerfile',
  text: 'RUN true',
};

describe('parseStepRecord', () => {
  it('reads a record', () => {
    expect(parseStepRecord(RECORD)).toMatchObject({ key: DIGEST, created: RECORD.created });
    expect(parseStepRecord({ ...RECORD, created: '1970-01-01T00:00:00Z' })).toBeDefined();
  });

  it('takes no record for one that would make an image which nobody can read', () => {
    expect(parseStepRecord({ ...RECORD, created: 'yesterday' })).toBeUndefined();
    expect(parseStepRecord({ ...RECORD, created: '' })).toBeUndefined();
    expect(parseStepRecord({ ...RECORD, layer: { ...RECORD.layer, size: -5 } })).toBeUndefined();
  });

  it('takes no record for one that is nested deeper than the stack is', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    expect(parseStepRecord({ ...RECORD, keyRecord: { deep } })).toBeUndefined();
  });
});
