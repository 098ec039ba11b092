import { decodeToc, LayerError, type Toc } from '@caisson/layer';

/** A table of contents; undefined for what is none. */
export function readToc(text: string | undefined): Toc | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeToc(text);
  } catch (error) {
    if (error instanceof LayerError) return undefined;
    throw error;
  }
}
