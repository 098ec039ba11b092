import { buffer as bufferOf } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { agentRequests } from './agent-requests.ts';

const request = (type: number, body = ''): Buffer => {
  const frame = Buffer.alloc(5 + body.length);
  frame.writeUInt32BE(1 + body.length, 0);
  frame.writeUInt8(type, 4);
  frame.write(body, 5, 'latin1');
  return frame;
};

async function passed(chunks: readonly Buffer[]): Promise<{ hex: string; refused: number }> {
  let refused = 0;
  const requests = agentRequests((answer) => {
    expect(answer.toString('hex')).toBe('0000000105');
    refused++;
  });
  for (const chunk of chunks) requests.write(chunk);
  requests.end();
  return { hex: (await bufferOf(requests)).toString('hex'), refused };
}

describe('requests to an ssh agent', () => {
  test('that use its keys are passed on, however they come', async () => {
    const both = Buffer.concat([request(11), request(13, 'key and data')]);
    const bytes = [...both].map((byte) => Buffer.from([byte]));
    for (const chunks of [[both], bytes])
      expect(await passed(chunks)).toEqual({ hex: both.toString('hex'), refused: 0 });
  });

  test('that change it are refused', async () => {
    const changes = [17, 18, 19, 20, 21, 22, 23, 25, 26, 27, 1, 9].map((type) => request(type, 'x'));
    expect(await passed([...changes, request(11)])).toEqual({
      hex: request(11).toString('hex'),
      refused: changes.length,
    });
  });

  test.each([0, 256 * 1024 + 1, 0xffffffff])('of %d bytes end the connection', async (length) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    await expect(passed([head])).rejects.toThrow('a request to the ssh agent has no sensible length');
  });
});
