import { describe, expect, test } from 'vitest';
import { parseImageConfig } from './image-config.ts';
import { parseIndex, parseManifest } from './manifest.ts';
import { layerCompression, MEDIA_TYPES } from './media-types.ts';
import { parseStrictJson } from './strict-json.ts';
import { validateImage } from './validate.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const descriptor = { mediaType: MEDIA_TYPES.ociConfig, digest: DIGEST, size: 2 };
const bytes = (value: unknown): Uint8Array =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const message = (result: { ok: boolean; error?: string }): string =>
  result.ok ? 'accepted' : (result.error ?? '');

describe('documents that two readers could read differently', () => {
  test.each([
    ['{"a":1,"a":2}', 'two members named "a"'],
    ['{"a":1,"\\u0061":2}', 'two members named "a"'],
    ['{"x":[{"b":1,"b":1}]}', 'two members named "b"'],
    ['{"__proto__":{}}', '"__proto__"'],
    ['['.repeat(100_000), 'nested more than 64 levels'],
    ['{"a":', 'not JSON'],
  ])('%.40s is refused', (text, why) => {
    expect(message(parseStrictJson(bytes(text)))).toContain(why);
  });

  test('bytes that are not UTF-8 are refused', () => {
    expect(message(parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22)))).toBe('the document is not UTF-8');
  });

  test('strings that look like members are not taken for some', () => {
    expect(parseStrictJson(bytes('{"a":"\\"a\\":1","b":["a","a"],"c":{"a":1}}')).ok).toBe(true);
  });
});

describe('manifests and indexes', () => {
  const manifest = { schemaVersion: 2, config: descriptor, layers: [] };
  const index = { schemaVersion: 2, manifests: [] };

  test('are told apart', () => {
    expect(parseManifest(bytes(manifest)).ok).toBe(true);
    expect(parseIndex(bytes(index)).ok).toBe(true);
    expect(message(parseManifest(bytes({ ...manifest, manifests: [] })))).toContain('ambiguous');
    expect(message(parseIndex(bytes({ ...index, layers: [] })))).toContain('ambiguous');
    expect(message(parseManifest(bytes({ ...manifest, mediaType: MEDIA_TYPES.ociIndex })))).toContain(
      'media type',
    );
    expect(message(parseManifest(bytes({ schemaVersion: 1, fsLayers: [] })))).toContain('version 1');
    expect(
      message(
        parseManifest(bytes({ ...manifest, mediaType: MEDIA_TYPES.ociManifest }), MEDIA_TYPES.dockerManifest),
      ),
    ).toContain('was announced as');
  });

  test.each([
    'sha256:../../../x',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(65)}`,
    `sha256:${'a'.repeat(64)}\n`,
    `sha512:${'a'.repeat(128)}`,
  ])('the digest %j is refused', (digest) => {
    expect(parseManifest(bytes({ ...manifest, config: { ...descriptor, digest } })).ok).toBe(false);
    expect(parseIndex(bytes({ ...index, manifests: [{ ...descriptor, digest }] })).ok).toBe(false);
  });

  test.each([-1, 1.5, 2 ** 53 + 2, '2', undefined])('the size %s is refused', (size) => {
    expect(parseManifest(bytes({ ...manifest, layers: [{ ...descriptor, size }] })).ok).toBe(false);
  });

  test('a hundred thousand descriptors are refused', () => {
    const manifests = Array.from({ length: 100_000 }, () => descriptor);
    expect(parseIndex(bytes({ ...index, manifests })).ok).toBe(false);
  });
});

describe('image configs', () => {
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [DIGEST] } };

  test('nulls count as absent, and unknown members are kept', () => {
    const parsed = parseImageConfig(bytes({ ...config, config: { Cmd: null, Custom: 1 }, extra: true }));
    expect(parsed).toMatchObject({ ok: true, value: { config: { Custom: 1 }, extra: true } });
    expect(JSON.stringify(parsed)).not.toContain('Cmd');
  });

  test('must fit their manifest', () => {
    const parsed = parseImageConfig(bytes({ ...config, history: [{ empty_layer: true }] }));
    const manifest = parseManifest(
      bytes({ schemaVersion: 2, config: descriptor, layers: [descriptor, descriptor] }),
    );
    if (!parsed.ok || !manifest.ok) throw new Error('not accepted');
    expect(validateImage(manifest.value, parsed.value)).toEqual([
      'the manifest lists 2 layers but the config 1 diff ids',
      `layer 0 has the media type ${MEDIA_TYPES.ociConfig}, which is not a layer's`,
      `layer 1 has the media type ${MEDIA_TYPES.ociConfig}, which is not a layer's`,
      'the history tells of 0 layers but the config has 1 diff ids',
    ]);
  });

  test('other kinds of root are refused', () => {
    expect(parseImageConfig(bytes({ ...config, rootfs: { type: 'base', diff_ids: [] } })).ok).toBe(false);
  });
});

test('a media type is one of the list, and no member that every object has', () => {
  expect(layerCompression('application/vnd.oci.image.layer.v1.tar+gzip')).toBe('gzip');
  for (const type of ['constructor', 'toString', '__proto__']) expect(layerCompression(type)).toBeUndefined();
});
