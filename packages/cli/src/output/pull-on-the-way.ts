import type { OnTransfer } from '@caisson/registry';
import type { Terminal } from '../terminal.ts';
import { drawsLive } from './open-progress.ts';
import type { TransferView } from './transfer-view.ts';

/**
 * Shows an image that is pulled because a command needs it: a bar on a terminal. Elsewhere nothing, for lines would come
 * between what the command writes. Until something is pulled, nothing is loaded for it.
 */
export class PullOnTheWay implements Disposable {
  readonly #image: string;
  readonly #terminal: Terminal;
  #view: Promise<TransferView> | undefined;
  #opened: TransferView | undefined;
  #isOver = false;

  constructor(image: string, terminal: Terminal) {
    this.#image = image;
    this.#terminal = terminal;
  }

  readonly note: OnTransfer = (event) => {
    if (drawsLive(this.#terminal)) void this.#show(event);
  };

  async #show({ digest, done, size, wasThere }: Parameters<OnTransfer>[0]): Promise<void> {
    this.#view ??= this.#open();
    const view = await this.#view;
    const fetched = { kind: 'fetch', image: this.#image, digest, received: done, size } as const;
    view.note(wasThere ? { ...fetched, wasThere } : fetched);
  }

  async #open(): Promise<TransferView> {
    const { openTransferView } = await import('./transfer-view.ts');
    const view = await openTransferView({ way: 'down', name: this.#image }, this.#terminal, false);
    this.#opened = view;
    if (this.#isOver) view[Symbol.dispose]();
    return view;
  }

  /** The image is there: a line says so. */
  readonly complete = (): void => {
    this.#opened?.complete();
    this[Symbol.dispose]();
  };

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#opened?.[Symbol.dispose]();
  }
}
