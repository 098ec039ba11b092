import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { digestOf } from '@caisson/oci';
import type { SandboxMount } from '@caisson/runtime';
import { checkPrograms } from '../foreign-programs.ts';
import { optionWords } from '../option-words.ts';
import { buildError } from '../failure.ts';
import type { PlannedRun } from '../plan/planned.ts';
import type { KeyRecord, StepKey } from '../solve/key.ts';
import type { Work } from '../solve/op.ts';
import type { FileState } from '../state.ts';
import type { FileChange } from '../solve/miss-reason.ts';
import { CopyOp } from './copy-op.ts';
import { OutputTail } from './output-tail.ts';
import { RunMounts } from './run-mounts.ts';
import { StepOp, type MadeLayer } from './step-op.ts';

/** Raised by whatever changes what a RUN writes. */
const VERSION = 6;

/** `RUN`: a command in a sandbox of its own, on the state before it. */
export class RunOp extends StepOp<PlannedRun> {
  readonly #mounts = new RunMounts(this.scope, this.step.mounts);

  protected override async describe(
    before: FileState,
    inputs: readonly FileState[],
    signal: AbortSignal,
  ): Promise<KeyRecord> {
    const { args, env, cwd, user, network, hostname, script } = this.step;
    const { chains, hosts } = this.scope;
    chains.willMount(before);
    const mounts = await this.#mounts.keyParts(inputs, signal);
    return this.keyRecord(VERSION, before, {
      args: [...args],
      env: [...env],
      cwd,
      user,
      network,
      ...(hostname === undefined ? {} : { hostname }),
      ...(hosts.length === 0 ? {} : { hosts: hosts.map(({ name }) => name) }),
      ...(mounts.length === 0 ? {} : { mounts }),
      ...(script === undefined ? {} : { script: digestOf(script.bytes) }),
    });
  }

  /** As with docker, a secret that has another value is no reason to run a step again; but somebody may think it was. */
  override async find(
    key: StepKey,
    inputs: readonly FileState[],
    signal: AbortSignal,
  ): Promise<FileState | undefined> {
    const found = await super.find(key, inputs, signal);
    if (found === undefined) return undefined;
    const { emit } = this.scope;
    for (const { id, place } of await this.#mounts.changedSecrets(key)) {
      emit({
        kind: 'warning',
        message: `the secret ${JSON.stringify(id)} has changed since this step ran; its cached result is used`,
        hint: `${optionWords().noCacheFilter(this.place.stage)} runs it again`,
        place,
      });
    }
    return found;
  }

  protected override get args(): ReadonlySet<string> {
    return new Set(this.step.argNames);
  }

  /** What was copied for a mount ran as a step of its own, and has a reason of its own. */
  protected override get mounted(): readonly FileChange[] {
    return this.inputs.slice(1).flatMap((input) => {
      const reason = input instanceof CopyOp ? input.reason : undefined;
      const changes = reason?.kind === 'changed' ? reason.changes : [];
      return changes.flatMap((change) => (change.kind === 'files' ? change.files : []));
    });
  }

  protected override async make(
    { key, signal, inputs }: Work<FileState>,
    before: FileState,
  ): Promise<MadeLayer> {
    const { session, chains, host, hosts, limits, clock, ignoresCache, emit } = this.scope;
    const { args, env, unkeyedEnv, cwd, user, network, hostname } = this.step;
    const { info, platform } = this.place;
    checkPrograms(platform, "FROM --platform=$BUILDPLATFORM builds on this machine's own");
    const sandboxes = await host();
    using shown = await this.#mounts.open(inputs, {
      sandboxes,
      beginsAnew: ignoresCache(this.place.stage),
      signal,
    });
    const folder = session.newPath('upper');
    const tar = session.newPath('layer');
    const toc = session.newPath('toc');
    await mkdir(folder, { mode: 0o700 });
    const tail = new OutputTail();
    const { exitCode, runtime, layer } = await sandboxes.run(
      {
        layers: chains.source(before, signal),
        folder,
        spec: {
          args,
          env: [...env, ...unkeyedEnv, ...shown.env],
          cwd,
          user,
          network,
          ...(hostname === undefined ? {} : { hostname }),
          hosts,
          limits,
          mounts: [...(await this.#script()), ...shown.mounts],
          stdio: 'stream',
          stdin: false,
        },
        commit: { tar, toc, ...(clock.latest === undefined ? {} : { latest: clock.latest }) },
      },
      {
        signal,
        onOutput: (stream, data) => {
          tail.add(data);
          emit({ kind: 'step-output', step: info, stream, data });
        },
      },
    );
    emit({ kind: 'isolation', runtime, network });
    if (exitCode !== 0 || layer === undefined) throw this.#failed(exitCode, tail.lines());
    this.#mounts.rememberSecrets(key);
    return { ...layer, tar, toc };
  }

  #failed(exitCode: number, details: readonly string[]): Error {
    const { store, session } = this.scope;
    const log = store.logs.path(session.id, this.place.info.id);
    return buildError('step-failed', `${this.step.text} ended with exit code ${exitCode}`, {
      exitCode,
      ...(details.length === 0 ? {} : { details }),
      ...(existsSync(log) ? { log } : {}),
      ...(exitCode === 127 ? { hint: 'code 127 says that a shell did not find a command' } : {}),
      ...(exitCode === 137 ? { hint: 'code 137 says that it was killed, often for want of memory' } : {}),
    });
  }

  /** A script that stands in the Dockerfile is shown to the step as a file, which leaves no trace. */
  async #script(): Promise<SandboxMount[]> {
    const { script } = this.step;
    if (script === undefined) return [];
    const source = this.scope.session.newPath('script');
    await writeFile(source, script.bytes, { flag: 'wx' });
    await chmod(source, 0o755);
    return [{ kind: 'folder', source, target: `/dev/pipes/${script.name}`, isReadOnly: true }];
  }
}
