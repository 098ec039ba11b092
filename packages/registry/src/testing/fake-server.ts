import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** What a server was asked. */
export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  readonly body: string;
}

/** Answers a request; the body has been read. */
export type Handler = (asked: Asked, response: ServerResponse) => void;

/**
 * A server of http on a port of its own that answers as a test says. It stands beside the real registry of the
 * end-to-end tests, for what a real one does not do: fail, lie, and lead astray.
 */
export class FakeServer implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #server;
  #host = '';

  private constructor(handler: Handler) {
    this.#server = createServer((request, response) => {
      this.#take(request, response, handler).catch((error: unknown) => {
        if (!request.destroyed) throw error; // a client may break off what it sends
      });
    });
  }

  static async start(handler: Handler): Promise<FakeServer> {
    const server = new FakeServer(handler);
    await new Promise<void>((resolve) => {
      server.#server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.#server.address();
    if (typeof address === 'object' && address !== null) server.#host = `127.0.0.1:${address.port}`;
    return server;
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return this.#host;
  }

  /** The requests, as `METHOD path`, without the question which scheme is spoken. */
  get lines(): string[] {
    return this.asked.map(({ method, url }) => `${method} ${url}`).filter((line) => line !== 'GET /v2/');
  }

  async #take(request: IncomingMessage, response: ServerResponse, handler: Handler): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) if (part instanceof Buffer) parts.push(part);
    const { method = '', url = '', headers } = request;
    const asked: Asked = {
      method,
      url,
      authorization: headers.authorization,
      range: headers.range,
      body: Buffer.concat(parts).toString('latin1'),
    };
    this.asked.push(asked);
    handler(asked, response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

/** Answers with a status, headers and a body. */
export function answer(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = '',
): void {
  response.writeHead(status, { ...headers });
  response.end(body);
}
