import { copyFileSync, lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError } from '../../errors.ts';
import type { CopiedRun } from '../../host-protocol.ts';
import type { CommittedLayer, SandboxResult } from '../../sandbox-spec.ts';
import { MountTargets } from '../mount-targets.ts';
import type { OutputSink } from '../output.ts';
import { prepareSandbox, type PreparedSandbox } from '../prepared-sandbox.ts';
import { checkUlimits } from '../rlimits.ts';
import { RootFolder } from '../root-folder.ts';
import type { Running } from '../running.ts';
import type { CopyingHost } from './copying-host.ts';
import { makeMountedFiles, type MountedFiles } from './mounted-files.ts';
import { NamedOutput } from './named-output.ts';
import { Placements } from './placements.ts';
import { endProcessesIn } from './processes-in.ts';
import { refuseWhatCannotBe } from './refuse.ts';
import { runWithChroot } from './run-with-chroot.ts';
import { placeSystemFolders } from './system-folders.ts';

/**
 * Runs one sandbox in a copy of its layers: copy, prepare, run, end what was left behind, take away what was only there
 * to be seen, commit.
 * @throws RuntimeError
 */
export async function runInCopy(
  host: CopyingHost,
  request: CopiedRun,
  running: Running,
  sink: OutputSink,
): Promise<SandboxResult> {
  refuseWhatCannotBe(request.spec);
  checkUlimits(request.spec.limits?.ulimits ?? []);
  const { trees } = host;
  const { id, folder } = host.newSandbox();
  const root = await trees.open(`${folder}-root`, request.layers);
  let layer: CommittedLayer | undefined;
  try {
    const exitCode = await runPrepared(host, { id, folder, root }, request, running, sink);
    if (request.commit !== undefined && exitCode === 0) layer = await trees.commit(root, request.commit);
    return { exitCode, runtime: 'chroot', refused: [], ...(layer === undefined ? {} : { layer }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    if (layer === undefined) await trees.drop(root);
  }
}

interface Place {
  readonly id: string;
  /** For what is not to be in the root. */
  readonly folder: string;
  readonly root: string;
}

async function runPrepared(
  host: CopyingHost,
  { id, folder, root }: Place,
  { spec }: CopiedRun,
  running: Running,
  sink: OutputSink,
): Promise<number> {
  const rootFolder = new RootFolder(root);
  const targets = new MountTargets(rootFolder);
  const placements = new Placements(rootFolder, folder);
  using stack = new DisposableStack();
  const output = stack.use(new NamedOutput(folder, spec, sink));
  try {
    const shown = await makeMountedFiles(host.trees, { folder, root: rootFolder }, spec.mounts, stack);
    const prepared = prepareSandbox({ id, folder, root, spec, shown }, host.networkFiles, targets);
    placeSystemFolders(prepared.systemMounts, folder, placements, output);
    placeFiles(prepared, shown, placements);
    if (running.isKilled) throw new RuntimeError('aborted', 'the step was cancelled');
    return await runWithChroot(prepared, host.capabilities, output, running);
  } finally {
    running.over();
    await endProcessesIn(root);
    placements.remove();
    targets.remove();
  }
}

/** Puts the files of the network and what is shown where they are to be seen. */
function placeFiles(
  { binds, folder }: PreparedSandbox,
  shown: readonly MountedFiles[],
  placements: Placements,
): void {
  const made = new Map(shown.map((each) => [each.source, each]));
  for (const [index, { source, target }] of binds.entries()) {
    if (lstatSync(source).isCharacterDevice()) continue; // in that of /dev
    const files = made.get(source);
    const copy = join(folder, `file-${index}`);
    if (files === undefined) copyFileSync(source, copy);
    placements.place(files?.source ?? copy, target, files?.home);
  }
}
