import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** A registry in front of another, that gives half of each layer until it is told to go on. */
export interface SlowRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** From now on it gives everything. */
  goOn(): void;
}

/** What is smaller is no layer, in bytes. */
const LAYER = 100_000;

/**
 * Starts one on a free port.
 * @param behind the host of the other
 * @param lost a blob that it does not have
 */
export async function startSlowRegistry(behind: string, lost?: string): Promise<SlowRegistry> {
  const goingOn = new AbortController();
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const body = await buffer(request);
      if (lost !== undefined && request.url?.endsWith(lost) === true) {
        response.writeHead(404).end();
        return;
      }
      const {
        host: _host,
        connection: _connection,
        'transfer-encoding': _encoding,
        ...headers
      } = request.headers;
      const answered = await fetch(`http://${behind}${request.url ?? ''}`, {
        method: request.method ?? 'GET',
        headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
        redirect: 'manual',
        ...(body.length === 0 ? {} : { body }),
      });
      const bytes = Buffer.from(await answered.arrayBuffer());
      response.writeHead(answered.status, Object.fromEntries(answered.headers));
      if (!goingOn.signal.aborted && bytes.length > LAYER) {
        response.write(bytes.subarray(0, bytes.length / 2));
        await once(goingOn.signal, 'abort');
        response.end(bytes.subarray(bytes.length / 2));
      } else response.end(bytes);
    };
    answer().catch(() => response.destroy());
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
    });
  });
  return {
    host: `127.0.0.1:${port}`,
    goOn: () => goingOn.abort(),
    [Symbol.asyncDispose]: async () => {
      goingOn.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
