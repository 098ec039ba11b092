import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Each plants one line in a package; the linter must find it. */
const VIOLATIONS = [
  { name: 'an import upwards', folder: 'oci/src', line: "export { build } from '@caisson/builder';" },
  {
    name: 'an import sideways',
    folder: 'registry/src',
    line: "export { SandboxHost } from '@caisson/runtime';",
  },
  {
    name: 'an import past an index',
    folder: 'builder/src',
    line: "export { err } from '@caisson/oci/src/result.ts';",
  },
  {
    name: 'an import past a package',
    folder: 'store/src',
    line: "export { err } from '../../oci/src/result.ts';",
  },
  { name: 'koffi outside sys', folder: 'layer/src', line: "export { default as koffi } from 'koffi';" },
  { name: 'undici outside registry', folder: 'builder/src', line: "export { request } from 'undici';" },
  {
    name: 'the solver seeing steps',
    folder: 'builder/src/solve',
    line: "export { RunOp } from '../steps/run-op.ts';",
  },
] as const;

describe('the table of who may import whom', () => {
  test.each(VIOLATIONS)('$name is found', async ({ folder, line, name }) => {
    const path = join(root, 'packages', folder, `planted-${name.replaceAll(' ', '-')}.ts`);
    writeFileSync(path, `${line}\n`);
    try {
      const { exitCode, stdout } = await execa('oxlint', [path], {
        preferLocal: true,
        localDir: root,
        cwd: root,
        reject: false,
      });
      expect(stdout).toContain('no-restricted-imports');
      expect(exitCode).toBe(1);
    } finally {
      rmSync(path);
    }
  });

  test('a permitted import is not', async () => {
    const path = join(root, 'packages/store/src/planted-permitted.ts');
    writeFileSync(path, "export { err } from '@caisson/oci';\n");
    try {
      const { exitCode } = await execa('oxlint', [path], {
        preferLocal: true,
        localDir: root,
        cwd: root,
        reject: false,
      });
      expect(exitCode).toBe(0);
    } finally {
      rmSync(path);
    }
  });
});
