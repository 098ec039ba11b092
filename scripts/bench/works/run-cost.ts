import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { debianRoot } from '../../../test/rig/base-images.ts';
import { findTool } from '../../../test/rig/tools.ts';
import { dockerfile } from '../contexts.ts';
import { measure, type Command } from '../measure.ts';
import type { Work } from '../work.ts';

const STEPS = 30;

/** A bundle of the same root, as `crun spec` makes it, but for what a cgroup is needed for. */
async function makeBundle(folder: string, program: string): Promise<Command> {
  const rootfs = join(folder, 'rootfs');
  mkdirSync(rootfs, { recursive: true });
  await execa('tar', ['-x', '-C', rootfs], { input: await debianRoot() });
  await execa(program, ['spec'], { cwd: folder });
  const path = join(folder, 'config.json');
  const text = readFileSync(path, 'utf8')
    .replace('"terminal": true', '"terminal": false')
    .replace('"sh"', '"true"');
  writeFileSync(path, text);
  const one = `${program} --cgroup-manager=disabled run --bundle ${folder} bench-$n </dev/null`;
  // In a hybrid hierarchy crun refuses to work with the unified one, as long as it sees it.
  const script = `umount /sys/fs/cgroup/unified 2>/dev/null; for n in $(seq ${STEPS}); do ${one} || exit 1; done`;
  return { program: 'unshare', args: ['--mount', '--propagation', 'private', 'sh', '-c', script] };
}

/** What a RUN costs besides the runtime itself. */
export const RUN_COST: Work = {
  id: 'run-cost',
  title: `${STEPS} RUN steps that do nothing, against crun alone`,
  columns: ['1 RUN', `${STEPS + 1} RUN`, `${STEPS} times crun run`],
  isOurs: true,
  derived: {
    title: 'a RUN above crun run',
    of: ([one = 0, many = 0, crun = 0]) => `${((1000 * (many - one - crun)) / STEPS).toFixed(1)} ms`,
  },
  prepare: async ({ folder, base, stores }) => {
    const program = findTool('crun');
    if (program === undefined) throw new Error('this work needs crun');
    const [one, many] = [join(folder, 'one'), join(folder, 'many')];
    dockerfile(one, `FROM ${base}`, 'RUN true');
    dockerfile(
      many,
      `FROM ${base}`,
      ...Array.from({ length: STEPS + 1 }, (_, number) => `RUN true ${number}`),
    );
    const crun = await makeBundle(join(stores, 'bundle'), program);
    return async (builder) => {
      const measured = [];
      for (const context of [one, many]) {
        await builder.reset(base);
        await execa('sync');
        measured.push(await measure(builder.build(context)));
      }
      return [...measured, await measure(crun)];
    };
  },
};
