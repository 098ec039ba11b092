import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

/** Steps that make, replace, remove and link things which steps far below and just before made. */
function steps(count: number): string[] {
  return Array.from({ length: count }, (_, number) => {
    const old = number - 97;
    const commands = [
      `mkdir -p /made/${number % 7}`,
      `echo ${number} > /made/${number % 7}/${number}`,
      `ln /made/${number % 7}/${number} /made/link-${number}`,
      ...(number % 3 === 0 ? [`rm -f /made/link-${old}`] : []),
      ...(number % 10 === 5 ? [`rm -rf /made/${number % 7}`, `mkdir /made/${number % 7}`] : []),
      ...(number % 20 === 9 ? [`rm -rf /made/${number % 7}`, `ln -s nowhere /made/${number % 7}`] : []),
      ...(number % 20 === 16 ? [`rm -f /made/${(number + 3) % 7}`] : []),
      ...(number % 20 === 11 ? [`mkdir /gone; touch /gone/x`] : []),
      ...(number % 20 === 12 ? [`rm -r /gone`] : []),
    ];
    return `RUN ${commands.join('; ')} 2>/dev/null; true`;
  });
}

/** What is below /made in a folder, but for times, which cp of busybox cuts short. */
function listing(folder: string): string {
  const script = String.raw`find . -mindepth 1 ! -type d -printf '%y %m %U:%G %n %s %p %l\n' | sort
    find . -type d -printf '%m %U:%G %p\n' | sort; find . -type f -exec sha256sum {} + | sort`;
  return execFileSync('sh', ['-c', script], { cwd: join(folder, 'made'), encoding: 'utf8' });
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'crun'))('a long chain', () => {
  test('is mounted as fewer trees, which show the same', { timeout: 240_000 }, async ({ world }) => {
    const last = 'RUN rm -f /made/link-5 /made/link-150; find /made | sort > /listing';
    world.write({ Dockerfile: ['FROM busybox', ...steps(215), last, ''].join('\n') });
    const files = join(world.folder, 'files');
    const built = await world.ok(['build', '-t', 'long', '-o', `type=local,dest=${files}`, '.']);
    expect(built.stderr).toContain(
      'warning: the image has 217 layers: Docker cannot run one of more than 127',
    );
    // What is written from the layers, one on the other, without a mount, against what a step saw and the whole as mounted.
    const paths = (await world.ok(['run', 'long', 'cat', '/listing'])).stdout;
    const written = execFileSync('sh', ['-c', 'find made | sort | sed s,^,/,'], {
      cwd: files,
      encoding: 'utf8',
    });
    expect(paths).toBe(written);
    expect(written.split('\n').length).toBeGreaterThan(100);
    // The base, and twice a hundred layers.
    const forms = ['trees', 'maps'].flatMap((folder) => readdirSync(join(world.store, folder)));
    const merged = forms.filter((name) => /^chain-\w+(?:\.erofs)?$/.test(name));
    expect(merged).toHaveLength(3);
    const seen = await world.ok([
      'run',
      '-v',
      `${world.folder}:/seen`,
      'long',
      'sh',
      '-c',
      'mkdir /seen/copy; cp -a /made /seen/copy/',
    ]);
    expect(seen.stderr).toBe('');
    expect(listing(join(world.folder, 'copy'))).toBe(listing(files));
  });
});
