/*
 * npm run build: makes what is published, complete, in dist/caisson: one package with the bundle of all of ours. It is
 * split where parts are loaded lazily. koffi stays outside: it brings native binaries.
 */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildResult, type Metafile } from 'esbuild';
import { apiDeclarations, declarationFile } from './declarations.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const packages = join(root, 'packages');

/** Where the package is made. */
export const PUBLISHED = join(root, 'dist', 'caisson');

/** The command, and the API with the thread that does its work. */
const ENTRY_POINTS = {
  main: join(packages, 'cli/src/main.ts'),
  index: join(packages, 'builder/src/api/index.ts'),
  'builder-thread': join(packages, 'builder/src/api/thread/main.ts'),
};

/** Programs and threads that Caisson starts itself, beside the bundle: runtime/src/entry-points.ts. */
const STARTED = {
  'sandbox-host': join(packages, 'runtime/src/host/main.ts'),
  'tar-worker': join(packages, 'layer/src/tar-worker.ts'),
  'decompress-worker': join(packages, 'layer/src/decompress-worker.ts'),
  'digest-worker': join(packages, 'layer/src/digest-worker.ts'),
  'tree-worker': join(packages, 'layer/src/tree-worker.ts'),
  'commit-worker': join(packages, 'runtime/src/host/commit-worker.ts'),
  'namespaces-init': join(packages, 'runtime/src/init/main.ts'),
  'chroot-init': join(packages, 'runtime/src/init/chroot.ts'),
  'root-worker': join(packages, 'runtime/src/host/chroot/root-worker.ts'),
};

/** Some libraries are CommonJS and ask for modules of Node at run time. */
const REQUIRE = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`;

/** What lies at its top. README.md leads to the others. */
const DOCUMENTS = ['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md'];

/** Makes the package. */
export async function buildPackage(): Promise<void> {
  await rm(PUBLISHED, { recursive: true, force: true });
  await mkdir(PUBLISHED, { recursive: true });
  const { metafile } = await bundle(ENTRY_POINTS);
  // Each of them alone: to load a few small parts that all have in common takes longer than to load it all as one.
  for (const [name, path] of Object.entries(STARTED)) await bundle({ [name]: path });
  await writeFile(join(PUBLISHED, 'dist/index.d.ts'), declarationFile(await apiDeclarations()));
  await writeEntries(exportsOf(metafile, 'dist/index.js'));
  await cp(join(packages, 'cli/bin'), join(PUBLISHED, 'bin'), { recursive: true });
  for (const file of DOCUMENTS) await cp(join(root, file), join(PUBLISHED, file));
  // Messages and README.md name them.
  for (const pages of ['docs', 'ci'])
    await cp(join(root, pages), join(PUBLISHED, pages), { recursive: true });
  await writeFile(join(PUBLISHED, 'package.json'), `${JSON.stringify(await manifest(), undefined, 2)}\n`);
}

function bundle(entryPoints: Readonly<Record<string, string>>): Promise<BuildResult<{ metafile: true }>> {
  return build({
    metafile: true,
    entryPoints: { ...entryPoints },
    outdir: join(PUBLISHED, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['koffi'],
    banner: { js: REQUIRE },
    minifySyntax: true,
    minifyWhitespace: true,
    // Node shows the line that an error which nobody catches comes from.
    lineLimit: 200,
    legalComments: 'linked',
    logLevel: 'warning',
  });
}

function exportsOf({ outputs }: Metafile, path: string): readonly string[] {
  const found = Object.entries(outputs).find(([name]) => name.endsWith(path));
  if (found === undefined) throw new Error(`${path} was not built`);
  return found[1].exports;
}

/**
 * What is imported and required: it loads the API only into a Node that can read it. An import would be read before
 * anything can be said, so it is required, which a module without await at its top can be.
 */
async function writeEntries(names: readonly string[]): Promise<void> {
  const check = 'if (complaint !== undefined) throw new Error(complaint);';
  const entry = `import { createRequire } from 'node:module';
import { complaint } from '../bin/needed-node.cjs';
${check}
export const { ${names.join(', ')} } = createRequire(import.meta.url)('./index.js');
`;
  const common = `const { complaint } = require('../bin/needed-node.cjs');
${check}
module.exports = require('./index.js');
`;
  await writeFile(join(PUBLISHED, 'dist/entry.js'), entry);
  await writeFile(join(PUBLISHED, 'dist/entry.cjs'), common);
}

async function manifest(): Promise<object> {
  const { name, version, license, bin, type } = await readJson('cli/package.json');
  const { dependencies } = await readJson('sys/package.json');
  const description = 'Builds container images from Dockerfiles: no daemon, from npm.';
  return {
    name,
    version,
    description,
    license,
    type,
    bin,
    exports: {
      '.': { types: './dist/index.d.ts', require: './dist/entry.cjs', default: './dist/entry.js' },
      './package.json': './package.json',
    },
    sideEffects: false,
    engines: { node: '>=24' },
    os: ['linux'],
    cpu: ['x64', 'arm64'],
    files: ['bin', 'ci', 'dist', 'docs', ...DOCUMENTS],
    dependencies,
  };
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  const value: unknown = JSON.parse(await readFile(join(packages, path), 'utf8'));
  if (typeof value !== 'object' || value === null) throw new Error(`${path} is no object`);
  return { ...value };
}

if (import.meta.main) await buildPackage();
