import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acceptConnection, listenAt, receiveDescriptor } from './unix-socket.ts';

let folder: string;
let listening: number;
let client: Socket;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-socket-'));
  listening = listenAt(join(folder, 'socket'));
});
afterEach(() => {
  client.destroy();
  closeSync(listening);
  rmSync(folder, { recursive: true });
});

async function connected(): Promise<number> {
  expect(acceptConnection(listening)).toBeUndefined();
  client = connect(join(folder, 'socket'));
  await once(client, 'connect');
  const connection = acceptConnection(listening);
  if (connection === undefined) throw new Error('no connection');
  return connection;
}

test('nothing is waited for, neither a connection nor a descriptor', async () => {
  const connection = await connected();
  try {
    expect(receiveDescriptor(connection)).toBeUndefined();
    client.destroy();
    await once(client, 'close');
    expect(receiveDescriptor(connection)).toBeUndefined();
  } finally {
    closeSync(connection);
  }
});

test('a message that brings none is an error', async () => {
  const connection = await connected();
  try {
    await new Promise((resolve) => client.write('text', resolve));
    expect(() => receiveDescriptor(connection)).toThrow('a message brought no descriptor');
  } finally {
    closeSync(connection);
  }
});
