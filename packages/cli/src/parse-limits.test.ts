import { describe, expect, test } from 'vitest';
import { parseBytes, parseHost, parseLimits, parseUlimit } from './parse-limits.ts';
import { UsageError } from './usage-error.ts';

function failure(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UsageError) return [error.message, error.details.expected].join(' | ');
    throw error;
  }
  return 'nothing was wrong';
}

describe('limits', () => {
  test.each([
    ['64', 64],
    ['1k', 1024],
    ['64m', 64 * 2 ** 20],
    ['1.5G', 1.5 * 2 ** 30],
    ['2 gb', 2 ** 31],
    ['512MiB', 2 ** 29],
  ])('%s are bytes', (text, expected) => {
    expect(parseBytes('--memory', text)).toBe(expected);
  });

  test.each(['', '-1', '0', '12q', 'm', '1e3'])('%j is no size', (text) => {
    expect(failure(() => parseBytes('--memory', text))).toBe(
      `--memory ${JSON.stringify(text)} is no size | a number above 0 with b, k, m or g, for example 64m`,
    );
  });

  test('of a process', () => {
    expect(parseUlimit('nofile=1024')).toEqual({ resource: 'nofile', soft: 1024, hard: 1024 });
    expect(parseUlimit('core=0:-1')).toEqual({ resource: 'core', soft: 0, hard: -1 });
    const form = 'NAME=SOFT[:HARD], for example nofile=1024:2048; -1 is without limit';
    for (const text of ['nofile', 'nofile=a', 'nofile=1:2:3', 'nofile=-2'])
      expect(failure(() => parseUlimit(text))).toBe(`--ulimit "${text}" is no limit | ${form}`);
    for (const text of ['nofile=3:1', 'nofile=-1:1'])
      expect(failure(() => parseUlimit(text))).toBe(
        `--ulimit "${text}": the soft limit is above the hard one | ${form}`,
      );
    expect(failure(() => parseUlimit('nofiles=3'))).toMatch(/^--ulimit "nofiles" is not known \| cpu, /);
  });

  test('of memory', () => {
    expect(parseLimits({ ulimit: [], memory: '6m' })).toEqual({ memory: 6 * 2 ** 20 });
    expect(failure(() => parseLimits({ ulimit: [], memory: '1m' }))).toBe(
      '--memory "1m" is too little | 6m or more',
    );
  });

  test('of processors', () => {
    expect(parseLimits({ ulimit: [], cpus: '1.5' })).toEqual({ cpus: 1.5 });
    for (const cpus of ['0', '0.001', 'many'])
      expect(failure(() => parseLimits({ ulimit: [], cpus }))).toBe(
        `--cpus "${cpus}" is no number of processors | a number from 0.01, for example 1.5`,
      );
  });
});

describe('hosts', () => {
  test.each([
    ['db:10.0.0.2', { name: 'db', address: '10.0.0.2' }],
    ['db=10.0.0.2', { name: 'db', address: '10.0.0.2' }],
    ['db:::1', { name: 'db', address: '::1' }],
    ['db=[::1]', { name: 'db', address: '::1' }],
    ['here:host-gateway', { name: 'here', address: '127.0.0.1' }],
  ])('%s', (text, expected) => {
    expect(parseHost(text)).toEqual(expected);
  });

  test.each(['a', 'a:1.2.3', 'a=b', '=1.2.3.4', 'a b=1.2.3.4', 'a=1.2.3.4\n::1 b'])('%j is none', (text) => {
    expect(failure(() => parseHost(text))).toBe(
      `--add-host ${JSON.stringify(text)} is no name with an address | NAME:ADDRESS, for example db:10.0.0.2, or NAME:host-gateway`,
    );
  });
});
