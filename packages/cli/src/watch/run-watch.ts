import type { BuildRequest, BuildResult, WatchEvent } from '@caisson/builder';
import { familiarName, parseReference, type Digest } from '@caisson/oci';
import type { BuildFlags } from '../build-options.ts';
import { EXIT } from '../exit-codes.ts';
import { exitOf } from '../failure-exit.ts';
import { onInterrupt } from '../interrupt.ts';
import { ResultFiles } from '../result-files.ts';
import { letHeapGrow } from '../small-heap.ts';
import type { Terminal } from '../terminal.ts';
import { execCommand } from './exec-command.ts';
import { runContainer } from './run-container.ts';
import { AllRestarted, type BuiltImage } from './running.ts';
import { WatchProgress } from './watch-progress.ts';
import { parsePoll } from './watch-flags.ts';

/** `caisson watch`, and `caisson build --watch`. @returns the exit code */
export async function runWatch(
  request: BuildRequest,
  flags: BuildFlags,
  terminal: Terminal,
): Promise<number> {
  letHeapGrow();
  const poll = parsePoll(flags.poll);
  const starters = [
    ...(flags.run === undefined ? [] : [runContainer(flags.run, request.root, terminal)]),
    ...(flags.exec === undefined ? [] : [execCommand(flags.exec, terminal)]),
  ];
  const files = new ResultFiles(flags, terminal);
  if (!(await files.check(request))) return EXIT.failed;
  using progress = await WatchProgress.open(flags, terminal);
  const { watch } = await import('@caisson/builder');
  using interrupt = onInterrupt();
  await using restarted = new AllRestarted(starters, progress);
  // Not only when the watch has ended, which takes its time, too.
  interrupt.signal.addEventListener('abort', () => {
    if (interrupt.exitCode === EXIT.interrupted) progress.interrupted();
    restarted[Symbol.asyncDispose]().catch(() => {}); // told below
  });
  await using watching = watch({
    ...request,
    ...(poll === undefined ? {} : { poll }),
    signal: interrupt.signal,
  });
  let exitCode: number = EXIT.ok;
  let hasChanged = false;
  let pushed: Digest | undefined;
  for await (const event of watching) {
    await progress.show(event);
    if (event.kind === 'pushed') {
      files.note(event);
      pushed = event.digest;
    }
    if (event.kind === 'changed') hasChanged = true;
    if (event.kind === 'not-built') exitCode = exitOf(event.failures);
    if (event.kind === 'built') {
      exitCode = EXIT.ok;
      if (event.isNew) {
        if (!(await files.write(event.result))) return EXIT.failed;
        if (flags.quiet === true) terminal.out(`${event.result.imageId}\n`);
        restarted.restart(imageOf(event.result, pushed));
      }
    }
    if (flags.once !== true || !hasChanged || !isEnd(event)) continue;
    if (event.kind === 'not-built') break;
    const codes = await Promise.race([restarted.ended(), aborted(interrupt.signal)]);
    exitCode = codes.find((code) => code !== 0) ?? exitCode;
    break;
  }
  return interrupt.exitCode ?? exitCode;
}

function isEnd({ kind }: WatchEvent): boolean {
  return kind === 'built' || kind === 'not-built';
}

/** @param pushed the digest that registries have it by */
function imageOf({ imageId, manifest, names }: BuildResult, pushed: Digest | undefined): BuiltImage {
  const [first] = names;
  const reference = first === undefined ? undefined : parseReference(first);
  const name = reference?.ok === true ? familiarName(reference.value) : imageId;
  return { id: imageId, name, digest: pushed ?? manifest.digest };
}

function aborted(signal: AbortSignal): Promise<number[]> {
  if (signal.aborted) return Promise.resolve([]);
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve([]), { once: true });
  });
}
