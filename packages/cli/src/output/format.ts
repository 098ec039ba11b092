import type { FilesSoFar, GitProgress } from '@caisson/builder';
import type { Digest } from '@caisson/oci';

/** The beginning of an id, as people compare it: 12 hex digits. */
export function shortId(id: Digest): string {
  return id.slice('sha256:'.length, 'sha256:'.length + 12);
}

/** A duration in milliseconds, as `1.2 s` or `2 min 5 s`. */
export function seconds(milliseconds: number): string {
  const total = milliseconds / 1000;
  if (total < 120) return `${total.toFixed(1)} s`;
  return `${Math.floor(total / 60)} min ${Math.round(total % 60)} s`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** A size in bytes, as docker shows it: three digits, powers of 1000. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const text = unit === 0 || value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  return `${text} ${UNITS[unit] ?? 'B'}`;
}

/** How long ago a time was, roughly: `3 hours ago`. */
export function ago(time: string | undefined, now: number): string {
  const then = time === undefined ? Number.NaN : Date.parse(time);
  if (Number.isNaN(then)) return 'unknown';
  const elapsed = Math.max(0, (now - then) / 1000);
  for (const [limit, divisor, unit] of STEPS) {
    if (elapsed < limit) return `${counted(Math.floor(elapsed / divisor), unit)} ago`;
  }
  return `${counted(Math.floor(elapsed / 31_536_000), 'year')} ago`;
}

const STEPS: readonly (readonly [limit: number, divisor: number, unit: string])[] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [86_400, 3600, 'hour'],
  [86_400 * 14, 86_400, 'day'],
  [86_400 * 60, 86_400 * 7, 'week'],
  [31_536_000 * 2, 86_400 * 30, 'month'],
];

/** A large number: `41,200`. */
function grouped(number: number): string {
  return String(number).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `1.20 MB of 3.64 MB`; where nobody knows of how much, `1.20 MB` */
export function amountText(done: number, total: number | undefined): string {
  return total === undefined ? size(done) : `${size(done)} of ${size(total)}`;
}

/** How far a walk is: `41,200 files and folders` */
export function walkText({ files }: { readonly files: number }): string {
  return `${grouped(files)} files and folders`;
}

/** How far git is: `receiving objects, 450 of 1,000` */
export function gitText({ phase, done, total }: GitProgress): string {
  return `${phase.toLowerCase()}, ${grouped(done)} of ${grouped(total)}`;
}

/** `100,000 files` */
export function allFilesText({ allFiles }: FilesSoFar): string {
  return `${grouped(allFiles)} ${allFiles === 1 ? 'file' : 'files'}`;
}

/** How far work on files is: `41,200 of 100,000 files, 512 MB of 784 MB`; in the end, `100,000 files, 784 MB`. */
export function filesText(soFar: FilesSoFar): string {
  const { files, allFiles, done, size: all } = soFar;
  if (files === allFiles) return `${allFilesText(soFar)}, ${size(all)}`;
  return `${grouped(files)} of ${allFilesText(soFar)}, ${size(done)} of ${size(all)}`;
}

/** A number of things: `1 step`, `2 steps`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/** How many steps became what. */
export interface StepCounts {
  readonly cached: number;
  readonly ran: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** `4 cached, 2 ran, 1 failed` @param first the number that the text begins with, where it is to say of what */
export function countsText(
  { cached, ran, failed, cancelled }: StepCounts,
  first: string | number = cached,
): string {
  const others = Object.entries({ failed, cancelled }).filter(([, count]) => count > 0);
  return [`${first} cached`, `${ran} ran`, ...others.map(([what, count]) => `${count} ${what}`)].join(', ');
}
