import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PUBLISHED } from '../../scripts/build.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** What a program that uses the package has installed besides, and what comes with that. */
const INSTALLED = ['koffi', '@koromix', '@types/node', 'undici-types'];

const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    allowImportingTsExtensions: true,
  },
  include: ['*.ts', '*.cts'],
};

/** How a project finds the types of what it imports. */
export type Resolution = 'nodenext' | 'node16' | 'bundler';

/** Makes a project that has the package installed as from npm, and nothing of this checkout. */
export function makeConsumer(folder: string, resolution: Resolution = 'nodenext'): void {
  const modules = join(folder, 'node_modules');
  mkdirSync(modules, { recursive: true });
  installPacked(modules);
  for (const name of INSTALLED) {
    const from = join(CHECKOUT, 'node_modules', name);
    const to = join(modules, name);
    mkdirSync(dirname(to), { recursive: true });
    symlinkSync(from, to);
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  const { compilerOptions, include } = TSCONFIG;
  const module = resolution === 'bundler' ? 'esnext' : resolution;
  const found = { ...compilerOptions, module, moduleResolution: resolution };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: found, include }));
}

/** The files that npm would publish, and no others. */
function installPacked(modules: string): void {
  const pack = ['pack', PUBLISHED, '--pack-destination', modules, '--silent', '--ignore-scripts'];
  const archive = execFileSync('npm', pack, { encoding: 'utf8' }).trim();
  mkdirSync(join(modules, 'caisson'));
  execFileSync('tar', ['-xzf', archive, '-C', 'caisson', '--strip-components=1'], { cwd: modules });
  rmSync(join(modules, archive));
}
