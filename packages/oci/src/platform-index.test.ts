import { expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import { parseIndex, type Descriptor } from './manifest.ts';
import { MEDIA_TYPES } from './media-types.ts';
import { platformIndex } from './platform-index.ts';

function manifest(text: string): Descriptor {
  return { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(text), size: text.length };
}

test('an index says what each image is for, in the order in which they are given', () => {
  const [amd64, arm] = [manifest('one'), { ...manifest('other'), annotations: { of: 'this place' } }];
  const { bytes, descriptor } = platformIndex([
    { descriptor: arm, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
    { descriptor: amd64, platform: { os: 'linux', architecture: 'amd64' } },
  ]);
  expect(descriptor).toStrictEqual({
    mediaType: MEDIA_TYPES.ociIndex,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const parsed = parseIndex(bytes, MEDIA_TYPES.ociIndex);
  expect(parsed.ok && parsed.value.manifests).toStrictEqual([
    { ...manifest('other'), platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
    { ...amd64, platform: { os: 'linux', architecture: 'amd64' } },
  ]);
});
