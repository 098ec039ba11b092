import { chmodSync, chownSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { relative } from 'node:path';
import { agentRequests } from './agent-requests.ts';

/**
 * Listens on a socket of its own and passes requests on to an ssh agent: a sandbox gets one with the owner and mode that
 * it needs, through which keys can be used and nothing else. Disposing of it ends both.
 * @param place where to make the socket
 * @param to the agent's socket
 */
export async function relayAgent(
  place: string,
  to: string,
  { mode, uid, gid }: { readonly mode: number; readonly uid: number; readonly gid: number },
): Promise<Disposable> {
  const open = new Set<Socket>();
  const server = createServer((inside) => {
    const outside = connect(to);
    const requests = agentRequests((answer) => inside.write(answer));
    requests.on('error', () => inside.destroy());
    for (const [socket, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
    inside.pipe(requests).pipe(outside).pipe(inside);
  });
  // The path of a socket has 107 bytes at most.
  const path = relative(process.cwd(), place);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chownSync(place, uid, gid);
  chmodSync(place, mode);
  return {
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
