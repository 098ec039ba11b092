const MAX_LINES = 20;
const MAX_BYTES = 16 << 10;

/** Keeps the last lines of what a step writes. */
export class OutputTail {
  #bytes = Buffer.alloc(0);

  add(data: Uint8Array): void {
    const all = Buffer.concat([this.#bytes, data]);
    this.#bytes = all.length > MAX_BYTES ? Buffer.from(all.subarray(all.length - MAX_BYTES)) : all;
  }

  /** The last lines, what overwrote itself with carriage returns as it stood at the end. */
  lines(): string[] {
    const text = this.#bytes.toString('utf8').trimEnd();
    if (text === '') return [];
    return text
      .split('\n')
      .slice(-MAX_LINES)
      .map((line) => line.trimEnd().split('\r').at(-1) ?? '');
  }
}
