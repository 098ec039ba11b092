import type { RuntimeChoice, SandboxHost } from '@caisson/runtime';
import type { Session } from '@caisson/store';
import { endHost, startHost } from './site.ts';

/** The sandbox host of a build that has one of its own. Disposing of it waits until it is gone, with all its mounts. */
export class BuildHost implements AsyncDisposable {
  readonly #session: Session;
  readonly #choice: RuntimeChoice;
  #host: Promise<SandboxHost> | undefined;
  readonly #ending: Promise<void>[] = [];

  constructor(session: Session, choice: RuntimeChoice) {
    this.#session = session;
    this.#choice = choice;
  }

  /** The host: started when it is first asked for. */
  readonly start = (): Promise<SandboxHost> => {
    this.#host ??= startHost(this.#session, this.#choice);
    return this.#host;
  };

  /** Begins to end it: the kernel takes its mounts away beside what is left to do. Another one is started where one is needed after all. */
  readonly end = (): void => {
    if (this.#host !== undefined) this.#ending.push(endHost(this.#host));
    this.#host = undefined;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    await Promise.all(this.#ending);
  }
}
