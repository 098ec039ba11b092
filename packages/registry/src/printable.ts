// C0, DEL, C1, line and paragraph separators, and the marks that change the direction of text.
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/**
 * Text of a registry, as it may be shown on a terminal: one line, without control characters, cut at a length.
 * @param limit in UTF-16 code units
 */
export function printable(text: string, limit = 300): string {
  const line = text.replaceAll(CONTROLS, ' ').replaceAll(/ {2,}/g, ' ').trim();
  return line.length > limit ? `${line.slice(0, limit)}...` : line;
}
