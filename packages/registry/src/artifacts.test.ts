import { describe, expect, test } from 'vitest';
import { digestOf, manifestBytes, MEDIA_TYPES, parseReference, type Reference } from '@caisson/oci';
import { fetchArtifact, type Artifact } from './artifacts.ts';
import { RegistryClient } from './client.ts';
import { FakeServer } from './testing/fake-server.ts';

const TYPE = 'application/vnd.example.v1+json';
const CONFIG = Buffer.from('{}');
const MANIFEST = manifestBytes({ mediaType: TYPE, digest: digestOf(CONFIG), size: CONFIG.length }, []);

/** Asks a registry that has these paths, by their ends. */
async function fetchFrom(paths: Readonly<Record<string, Uint8Array>>): Promise<Artifact | undefined> {
  await using server = await FakeServer.start(({ url }, response) => {
    const body = Object.entries(paths).find(([end]) => url.endsWith(end))?.[1];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': MEDIA_TYPES.ociManifest });
    response.end(body);
  });
  await using client = new RegistryClient({ env: {} });
  return await fetchArtifact(client, reference(`${server.host}/team/cache:main`), TYPE, undefined);
}

function reference(text: string): Reference {
  const parsed = parseReference(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

describe('an artifact', () => {
  test('is its manifest and its config', async () => {
    const found = await fetchFrom({ '/manifests/main': MANIFEST, [digestOf(CONFIG)]: CONFIG });
    expect(Buffer.from(found?.config ?? '').toString()).toBe('{}');
  });

  test('is not there where its manifest is not', async () => {
    expect(await fetchFrom({})).toBeUndefined();
  });

  test('is damaged where its config is not', async () => {
    await expect(fetchFrom({ '/manifests/main': MANIFEST })).rejects.toThrow(
      /^the registry 127\.0\.0\.1:\d+ does not have the config of 127\.0\.0\.1:\d+\/team\/cache:main \(sha256:/,
    );
  });
});
