import { expect, test } from 'vitest';
import { chooseManifest } from './choose-manifest.ts';
import { digestOf } from './digest.ts';
import type { Descriptor } from './manifest.ts';
import { formatPlatform, parsePlatform, type Platform } from './platform.ts';

function platform(text: string): Platform {
  const parsed = parsePlatform(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

/** Entries by what they are for; `-` does not say it. Each is another one. */
function entries(texts: readonly string[]): Descriptor[] {
  return texts.map((text, index) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(String(index)),
    size: index,
    ...(text === '-' ? {} : { platform: platform(text) }),
  }));
}

test.each([
  { of: ['linux/arm64', 'linux/amd64'], for: 'linux/amd64', is: 1 },
  { of: ['linux/amd64', 'linux/amd64'], for: 'linux/amd64', is: 0 },
  { of: ['linux/arm/v5', 'linux/arm/v7', 'linux/arm/v6'], for: 'linux/arm/v7', is: 1 },
  { of: ['linux/arm/v5', 'linux/arm/v7', 'linux/arm/v6'], for: 'linux/arm/v6', is: 2 },
  { of: ['unknown/unknown', 'linux/amd64'], for: 'linux/amd64', is: 1 },
  { of: ['-', 'linux/amd64'], for: 'linux/amd64', is: 1 },
  { of: ['-', 'linux/amd64'], for: 'linux/arm64', is: 0 },
  { of: ['-'], for: 'linux/arm64', is: 0 },
])('of $of, $for is number $is', ({ of, for: wanted, is }) => {
  expect(chooseManifest(entries(of), platform(wanted))).toMatchObject({ ok: true, value: { size: is } });
});

test.each([
  { of: [], for: 'linux/amd64', has: [] },
  { of: ['unknown/unknown'], for: 'linux/amd64', has: [] },
  { of: ['linux/arm64', 'windows/amd64'], for: 'linux/amd64', has: ['linux/arm64', 'windows/amd64'] },
  { of: ['linux/arm/v7'], for: 'linux/arm/v6', has: ['linux/arm/v7'] },
])('of $of, none is for $for', ({ of, for: wanted, has }) => {
  const chosen = chooseManifest(entries(of), platform(wanted));
  expect(chosen.ok ? chosen.value : chosen.error.map(formatPlatform)).toEqual(has);
});
