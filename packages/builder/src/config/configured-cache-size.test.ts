import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { configuredCacheSize } from './configured-cache-size.ts';

const home = mkdtempSync(join(tmpdir(), 'caisson-config-'));
afterAll(() => rmSync(home, { recursive: true }));

test('the environment comes before the config file of the user', async () => {
  expect(await configuredCacheSize({ HOME: home })).toBeUndefined();
  mkdirSync(join(home, '.config/caisson'), { recursive: true });
  writeFileSync(join(home, '.config/caisson/config.toml'), 'cache-max-size = "20%"\n');
  expect(await configuredCacheSize({ HOME: home })).toEqual({ percent: 20 });
  expect(await configuredCacheSize({ HOME: home, CAISSON_CACHE_MAX_SIZE: '' })).toEqual({ percent: 20 });
  expect(await configuredCacheSize({ HOME: home, CAISSON_CACHE_MAX_SIZE: '2k' })).toEqual({ bytes: 2048 });
});

test('what says no size is named', async () => {
  const said = configuredCacheSize({ HOME: home, CAISSON_CACHE_MAX_SIZE: 'much' });
  await expect(said).rejects.toMatchObject({
    failures: [
      {
        code: 'invalid-request',
        message: 'CAISSON_CACHE_MAX_SIZE "much" is no size',
        expected: 'a size, for example 20g, or a part of the disk, for example 10%',
      },
    ],
  });
});
