import { LayerError } from './errors.ts';

/** Some bytes of a frame, and whether they are its last. */
export interface FramePart {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

const MAGIC = 0xfd2fb528;
/** Frames without content, where some tools put tables: the last four bits are theirs. */
const SKIPPABLE = 0x184d2a5;

type Field = 'magic' | 'skippable-size' | 'descriptor' | 'header' | 'block-header' | 'checksum';

/**
 * Finds where the frames of a zstd stream end. Writers that use several cores, or that let files be fetched one by one,
 * make many; the decompressor of Node stops after the first.
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1 (frames and blocks)
 */
export class ZstdFrames {
  #field: Field = 'magic';
  readonly #bytes: number[] = [];
  /** How many bytes the field has. */
  #length = 4;
  /** Bytes of a block, or of what is skipped, that have not come yet. */
  #body = 0;
  #isLastBlock = false;
  #hasChecksum = false;

  /** Whether the stream may end here. */
  get isBetweenFrames(): boolean {
    return this.#field === 'magic' && this.#bytes.length === 0 && this.#body === 0;
  }

  /** Takes the next bytes of the stream. @throws LayerError where no frame begins after the one before */
  *parts(chunk: Uint8Array): Generator<FramePart> {
    let start = 0;
    for (let at = 0; at < chunk.length;) {
      at += this.#take(chunk, at);
      if (!this.isBetweenFrames) continue;
      yield { bytes: chunk.subarray(start, at), isLast: true };
      start = at;
    }
    if (start < chunk.length) yield { bytes: chunk.subarray(start), isLast: false };
  }

  /** @returns how many bytes were taken */
  #take(chunk: Uint8Array, at: number): number {
    if (this.#body > 0) {
      const taken = Math.min(this.#body, chunk.length - at);
      this.#body -= taken;
      return taken;
    }
    this.#bytes.push(chunk[at] ?? 0);
    if (this.#bytes.length === this.#length) this.#finishField(littleEndian(this.#bytes.splice(0)));
    return 1;
  }

  #finishField(value: number): void {
    switch (this.#field) {
      case 'magic':
        if (value === MAGIC) return this.#expect('descriptor', 1);
        if (Math.floor(value / 16) === SKIPPABLE) return this.#expect('skippable-size', 4);
        throw new LayerError(
          'invalid-compression',
          'the compressed bytes are damaged: no frame where one should begin',
        );
      case 'skippable-size':
        this.#body = value;
        return this.#expect('magic', 4);
      case 'descriptor':
        this.#hasChecksum = (value & 4) !== 0;
        return this.#expect('header', headerLength(value));
      case 'header':
        return this.#expect('block-header', 3);
      case 'block-header': {
        const size = value >>> 3;
        this.#body = ((value >>> 1) & 3) === 1 ? 1 : size; // of a run there is one byte
        this.#isLastBlock = (value & 1) !== 0;
        if (!this.#isLastBlock) return this.#expect('block-header', 3);
        return this.#hasChecksum ? this.#expect('checksum', 4) : this.#expect('magic', 4);
      }
      case 'checksum':
        return this.#expect('magic', 4);
    }
  }

  #expect(field: Field, length: number): void {
    this.#field = field;
    this.#length = length;
  }
}

/** How long the rest of a frame's header is: window, dictionary and content size, as its first byte says. */
function headerLength(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] ?? 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return (isSingleSegment ? 0 : 1) + dictionary + contentSize;
}

/** Of at most four bytes; longer fields are not looked into. */
function littleEndian(bytes: readonly number[]): number {
  return bytes.slice(0, 4).reduceRight((value, byte) => value * 256 + byte, 0);
}
