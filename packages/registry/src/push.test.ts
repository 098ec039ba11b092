import { describe, expect, test } from 'vitest';
import { pushImage } from './push.ts';
import { answer } from './testing/fake-server.ts';
import {
  SECRET,
  manifest,
  store,
  serve,
  registry,
  logIn,
  reference,
  client,
  pull,
  authorized,
  challenge,
} from './testing/pull-rig.ts';

describe('a push', () => {
  test('sends no credentials to an upload place on another host', async () => {
    const other = await serve((_asked, response) => answer(response, 201));
    const server = await registry((asked, response) => {
      if (asked.authorization !== SECRET) answer(response, 401, challenge);
      else if (asked.method === 'HEAD') answer(response, 404);
      else if (asked.method === 'POST')
        answer(response, 202, { location: `http://${other.host}/upload?state=1` });
      else if (asked.method === 'PUT') answer(response, 201);
      else return false;
      return true;
    });
    logIn(server.host, other.host);
    await pull(`${server.host}/app`);
    await using session = store.session();
    await using open = client();
    const image = await store.images.find(`${server.host}/app`);
    const target = reference(`${server.host}/app:2`);
    await pushImage(open, target, image, { store, session, compression: 'none' });
    expect(other.lines.every((line) => line.startsWith('PUT /upload?state=1&digest=sha256%3A'))).toBe(true);
    expect(other.lines.length).toBeGreaterThan(0);
    expect(authorized(other)).toEqual([]);
    expect(server.asked.at(-1)).toMatchObject({ method: 'PUT', url: '/v2/app/manifests/2' });
    expect(server.asked.at(-1)?.body).toBe(manifest.toString('latin1'));
  });

  test('begins an upload anew that broke off', async () => {
    let puts = 0;
    const server = await registry((asked, response) => {
      if (asked.method === 'HEAD') answer(response, 404);
      else if (asked.method === 'POST') answer(response, 202, { location: '/v2/app/blobs/uploads/1' });
      else if (asked.method === 'DELETE') answer(response, 204);
      else if (asked.method === 'PUT' && asked.url.includes('/uploads/')) {
        puts++;
        if (puts === 1) response.destroy();
        else answer(response, 201);
      } else if (asked.method === 'PUT') answer(response, 201);
      else return false;
      return true;
    });
    await pull(`${server.host}/app`);
    await using session = store.session();
    await using open = client();
    const image = await store.images.find(`${server.host}/app`);
    await pushImage(open, reference(`${server.host}/app`), image, { store, session, compression: 'none' });
    expect(puts).toBe(3); // the layer twice, the config once
  });
});
