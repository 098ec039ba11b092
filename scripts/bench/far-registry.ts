import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** A registry that seems to be far away. */
export interface FarRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
}

/** How far a registry is away. */
export interface Distance {
  /** How long each answer takes, in milliseconds. */
  readonly latency: number;
  /** How much goes over each connection, each way, in bytes a second. */
  readonly rate: number;
}

/** Starts one on a free port, in front of another. @param behind the host of the other */
export async function startFarRegistry(behind: string, distance: Distance): Promise<FarRegistry> {
  const server = createServer((asked, response) => {
    passOn(asked, response, behind, distance).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return {
    host: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function passOn(
  asked: IncomingMessage,
  response: ServerResponse,
  behind: string,
  { latency, rate }: Distance,
): Promise<void> {
  await sleep(latency);
  const { method, url, headers } = asked;
  const passed = request(`http://${behind}${url ?? ''}`, { method, headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    passed.once('response', resolve).once('error', reject);
  });
  answered.catch(() => {}); // told below, where it was not sent whole either
  try {
    await slowed(asked, passed, rate);
  } catch (error) {
    passed.destroy();
    throw error;
  }
  const answer = await answered;
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  await slowed(answer, response, rate);
}

async function slowed(from: IncomingMessage, to: Writable, rate: number): Promise<void> {
  const begun = performance.now();
  let sent = 0;
  for await (const chunk of from) {
    if (!(chunk instanceof Uint8Array)) throw new Error('no bytes');
    sent += chunk.length;
    const early = begun + (sent / rate) * 1000 - performance.now();
    if (early > 1) await sleep(early);
    if (!to.write(chunk)) await once(to, 'drain');
  }
  to.end();
}
