import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PUBLISHED } from '../../scripts/build.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** What a program that uses the package has installed besides, and what comes with that. */
const INSTALLED = ['koffi', '@koromix', '@types/node', 'undici-types'];

const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    allowImportingTsExtensions: true,
  },
  include: ['*.ts'],
};

/** Makes a project that has the package installed as from npm, and nothing of this checkout. */
export function makeConsumer(folder: string): void {
  const modules = join(folder, 'node_modules');
  mkdirSync(modules, { recursive: true });
  cpSync(PUBLISHED, join(modules, 'caisson'), { recursive: true });
  for (const name of INSTALLED) {
    const from = join(CHECKOUT, 'node_modules', name);
    const to = join(modules, name);
    mkdirSync(dirname(to), { recursive: true });
    symlinkSync(from, to);
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
}
