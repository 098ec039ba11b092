import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { canRunProgramsOf, emulatedArchitectures } from './foreign-programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'caisson-binfmt-'));
afterAll(() => rmSync(folder, { recursive: true }));

const AMD64 = { os: 'linux', architecture: 'amd64' };

test.each([
  ['its own', { os: 'linux', architecture: 'amd64' }, true],
  ['an older one', { os: 'linux', architecture: '386' }, true],
  ['one with an emulator', { os: 'linux', architecture: 'arm64' }, true],
  ['one whose emulator is switched off', { os: 'linux', architecture: 'riscv64' }, false],
  ['one without an emulator', { os: 'linux', architecture: 's390x' }, false],
  ['another system', { os: 'windows', architecture: 'amd64' }, false],
])('programs of %s: %o', (_what, platform, expected) => {
  writeFileSync(
    join(folder, 'qemu-aarch64'),
    'enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: F\n',
  );
  writeFileSync(join(folder, 'qemu-riscv64'), 'disabled\ninterpreter /usr/bin/qemu-riscv64-static\n');
  expect(canRunProgramsOf(platform, AMD64, folder)).toBe(expected);
});

test('the architectures that there are emulators for', () => {
  writeFileSync(join(folder, 'register'), '');
  writeFileSync(join(folder, 'qemu-s390x'), 'enabled\n');
  writeFileSync(join(folder, 'qemu-aarch64'), 'enabled\n');
  writeFileSync(join(folder, 'qemu-riscv64'), 'disabled\n');
  expect(emulatedArchitectures(folder)).toEqual(['arm64', 's390x']);
  expect(emulatedArchitectures(join(folder, 'nowhere'))).toEqual([]);
  rmSync(join(folder, 'qemu-s390x'));
});
