import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import * as z from 'zod/mini';
import { findTool, TOOLS } from './tools.ts';

const FOLDER = fileURLToPath(new URL('../../fixtures/builds', import.meta.url));

const fileSchema = z.strictObject({
  type: z.optional(z.string()),
  mode: z.optional(z.string()),
  uid: z.optional(z.int()),
  gid: z.optional(z.int()),
  content: z.optional(z.string()),
  target: z.optional(z.string()),
  sha256: z.optional(z.string()),
  xattrs: z.optional(z.record(z.string(), z.string())),
});

const schema = z.strictObject({
  /** What the case shows, in one line. */
  title: z.string(),
  /** The case whose folder is built. */
  same: z.optional(z.string()),
  /** Command lines before the build. */
  before: z.optional(z.array(z.array(z.string()))),
  args: z.optional(z.array(z.string())),
  config: z.optional(z.record(z.string(), z.unknown())),
  files: z.optional(z.record(z.string(), fileSchema)),
  absent: z.optional(z.array(z.string())),
  layers: z.optional(z.int()),
  run: z.optional(
    z.array(z.strictObject({ args: z.array(z.string()), stdout: z.string(), exitCode: z.optional(z.int()) })),
  ),
  /** Where it must fail: the lines that are said. */
  error: z.optional(z.array(z.string())),
  /** In what the image may differ from that of docker, by patterns of where, and why. */
  differences: z.optional(z.array(z.strictObject({ where: z.array(z.string()), reason: z.string() }))),
  needs: z.optional(z.array(z.string())),
  /** With what it is built; with all where this is not given. */
  runtimes: z.optional(z.array(z.enum(['crun', 'runc', 'namespaces', 'chroot']))),
});

/** A folder of fixtures/builds: what is built, and what it must give. docs/testing.md says what the members mean. */
export interface BuildCase {
  readonly name: string;
  /** The folder that is built. */
  readonly folder: string;
  readonly expect: z.infer<typeof schema>;
}

/** All cases. */
export function buildCases(): BuildCase[] {
  return readdirSync(FOLDER)
    .toSorted()
    .map((name) => {
      const expect = schema.parse(JSON.parse(readFileSync(join(FOLDER, name, 'expect.json'), 'utf8')));
      return { name, folder: join(FOLDER, expect.same ?? name), expect };
    });
}

/** The arguments of a case. @param context its folder: `{context}` stands for it */
export function argsOf({ expect }: BuildCase, context: string): string[] {
  return (expect.args ?? []).map((arg) => arg.replaceAll('{context}', context));
}

/** The programs that a case needs. */
export function needsOf({ expect }: BuildCase): (keyof typeof TOOLS)[] {
  return Object.keys(TOOLS).filter((name): name is keyof typeof TOOLS => (expect.needs ?? []).includes(name));
}

/** Copies the context of a case, and makes what cannot lie in a checkout. */
export async function copyCase({ folder }: BuildCase, target: string): Promise<void> {
  cpSync(folder, target, {
    recursive: true,
    filter: (path) => !path.endsWith('/expect.json') && !path.endsWith('/setup.sh'),
  });
  // Whatever the umask of the checkout was.
  await execa('chmod', ['-R', 'u=rwX,go=rX', target]);
  const script = join(folder, 'setup.sh');
  if (!existsSync(script)) return;
  await execa('sh', ['-e', script], {
    cwd: target,
    env: {
      PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
      BUSYBOX: findTool('busybox') ?? '',
      ESBUILD: createRequire(import.meta.url).resolve(`@esbuild/linux-${process.arch}/bin/esbuild`),
    },
  });
}
