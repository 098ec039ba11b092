import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@caisson/store';
import { expect, onTestFinished, test } from 'vitest';
import type { BuildEvent } from '../events.ts';
import { StepLogs } from './step-logs.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'caisson-logs-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return join(path, 'store');
}

test('what steps write is in their logs, byte for byte, as soon as it is written', async () => {
  using store = await openStore(folder());
  await using session = store.session();
  using logs = new StepLogs(store.logs.writer(session), () => {});
  logs.write(1, Buffer.from('one '));
  logs.write(2, Buffer.from([0xff, 0]));
  logs.write(1, Buffer.from('two'));
  const read = (step: number): string => readFileSync(store.logs.path(session.id, step), 'latin1');
  expect([read(1), read(2)]).toEqual(['one two', '\u00ff\u0000']);
  logs.end(1);
  logs.write(1, Buffer.from(', solved again'));
  expect(read(1)).toBe('one two, solved again');
});

test('where no log can be written, that is told once, and nothing else happens', async () => {
  using store = await openStore(folder());
  await using session = store.session();
  const events: BuildEvent[] = [];
  using logs = new StepLogs(store.logs.writer(session), (event) => events.push(event));
  writeFileSync(join(store.root, 'logs'), '');
  logs.write(1, Buffer.from('one'));
  logs.write(2, Buffer.from('two'));
  expect(await store.logs.builds()).toEqual([]);
  const path = store.logs.folder(session.id);
  expect(events).toEqual([
    {
      kind: 'warning',
      message: `what the steps write is kept in no log from here on: ENOTDIR: not a directory, mkdir '${path}'`,
    },
  ]);
});
