import { describe, expect, test } from 'vitest';
import { formatPlatform, hostPlatform, parsePlatform, runsOn, type Platform } from './platform.ts';
import { asDiffId, chainIds, digestOf } from './digest.ts';

function platform(text: string): Platform {
  const parsed = parsePlatform(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

describe('platforms', () => {
  test.each([
    ['linux/x86_64', 'linux/amd64'],
    ['Linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['arm', 'linux/arm/v7'],
    ['s390x', 'linux/s390x'],
    ['linux', `linux/${hostPlatform().architecture}`],
    ['linux/constructor', 'linux/constructor'],
  ])('%s is %s', (text, normal) => {
    expect(formatPlatform(platform(text))).toBe(normal);
  });

  test.each(['any', 'linux/', 'a/b/c/d', 'linux/am d64'])('%s is none', (text) => {
    expect(parsePlatform(text).ok).toBe(false);
  });

  test.each([
    ['linux/arm/v6', 'linux/arm/v7', true],
    ['linux/arm/v7', 'linux/arm/v6', false],
    ['linux/amd64', 'linux/amd64/v3', true],
    ['linux/amd64/v3', 'linux/amd64', false],
    ['linux/amd64', 'linux/arm64', false],
    ['windows/amd64', 'linux/amd64', false],
  ])('an image for %s runs on %s: %s', (have, want, expected) => {
    expect(runsOn(platform(have), platform(want))).toBe(expected);
  });
});

describe('chainIds', () => {
  // The recursion of the image specification: chain(n) = digest(chain(n-1) + " " + diff(n)).
  test('are those of the specification', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((text) => asDiffId(digestOf(text)));
    if (a === undefined || b === undefined || c === undefined) throw new Error('unreachable');
    const second = digestOf(`${a} ${b}`);
    expect(chainIds([a, b, c])).toEqual([a, second, digestOf(`${second} ${c}`)]);
    expect(chainIds([])).toEqual([]);
  });
});
