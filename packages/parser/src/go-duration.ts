const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  '\u00b5s': 1e3,
  '\u03bcs': 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/**
 * A duration as Go writes it, `1h30m`, `1.5s`, `100ms`, `0`, in nanoseconds; undefined for anything else.
 * @see https://pkg.go.dev/time#ParseDuration
 */
export function parseGoDuration(text: string): number | undefined {
  const match = /^([+-]?)(.+)$/.exec(text);
  const body = match?.[2] ?? '';
  if (body === '0') return 0;
  let total = 0;
  let rest = body;
  while (rest !== '') {
    const part = /^(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/.exec(rest);
    const unit = UNITS[part?.[2] ?? ''];
    if (part === null || unit === undefined) return undefined;
    total += Number(part[1]) * unit;
    rest = rest.slice(part[0].length);
  }
  if (body === '' || !Number.isSafeInteger(Math.round(total))) return undefined;
  return Math.round(match?.[1] === '-' ? -total : total);
}

/** A duration as Go prints it: `1m30s`, `500ms`, `0s`. */
export function formatGoDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  const sign = nanoseconds < 0 ? '-' : '';
  const value = Math.abs(nanoseconds);
  if (value < 1e9) {
    const { unit, name } = smallUnit(value);
    return `${sign}${value / unit}${name}`;
  }
  const hours = Math.floor(value / 3600e9);
  const minutes = Math.floor((value % 3600e9) / 60e9);
  const seconds = (value % 60e9) / 1e9;
  const text = `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
  return `${sign}${text}`;
}

/** The unit that a duration below a second is printed in. */
function smallUnit(nanoseconds: number): { unit: number; name: string } {
  if (nanoseconds < 1e3) return { unit: 1, name: 'ns' };
  return nanoseconds < 1e6 ? { unit: 1e3, name: '\u00b5s' } : { unit: 1e6, name: 'ms' };
}
