import { build } from '../../build.ts';
import { check } from '../../check/check-dockerfile.ts';
import type { BuildEvent, Emit } from '../../events.ts';
import { buildError } from '../../failure.ts';
import { plan } from '../../plan-steps.ts';
import { keptReason } from '../../report/kept-reason.ts';
import type { BuildRequest, OutputRequest, SecretSource } from '../../request.ts';
import type { OutputListener } from '@caisson/runtime';
import type { InFlight } from '../../steps/in-flight.ts';
import { ImageGatherer } from '../image-gatherer.ts';
import type { Job, Outcome, WireBuild, WireOutput } from './protocol.ts';
import type { Questions } from './questions.ts';
import { doRunJob } from './run-job.ts';
import { registryOptions } from './registry-options.ts';
import { doStoreJob } from './store-jobs.ts';
import { valueOf } from './value-of.ts';
import { doWatchJob } from './watch-job.ts';
import type { WatchEvent } from '../watch-event.ts';

/** What a job is done with. */
export interface JobTools {
  readonly signal: AbortSignal;
  readonly questions: Questions;
  /** What all builds of the thread work on. */
  readonly inFlight: InFlight;
  readonly emit: Emit;
  /** Takes what happens in a watch. */
  readonly watchEvent: (event: WatchEvent) => void;
  /** Takes what a program writes. */
  readonly onOutput: OutputListener;
}

/** Does a job. @throws BuildError, StoreError, RegistryError */
export async function doJob(job: Job, tools: JobTools): Promise<Outcome> {
  const { signal, questions, inFlight, emit, watchEvent } = tools;
  if (job.kind !== 'check') checkRoot();
  switch (job.kind) {
    case 'build': {
      const gatherer = new ImageGatherer();
      const request = { ...(await requestOf(job.request, tools)), inFlight };
      const built = await build(request, (event) => {
        gatherer.note(event);
        emit(shortened(event));
      });
      return { kind: 'build', value: gatherer.image(valueOf(built)) };
    }
    case 'plan':
      return { kind: 'plan', value: valueOf(await plan(await requestOf(job.request, tools), emit)) };
    case 'watch': {
      const { context, poll } = job.request;
      const request = { ...(await requestOf(job.request, tools)), inFlight, context };
      await doWatchJob({ ...request, ...(poll === undefined ? {} : { poll }) }, (event) =>
        watchEvent(event.kind === 'step-started' ? shortened(event) : event),
      );
      return { kind: 'watch' };
    }
    case 'check': {
      const { context, registry } = job.request;
      const request = {
        ...job.request,
        context: context ?? (await questions.context()),
        registry: registryOptions(registry, questions),
        signal,
      };
      return { kind: 'check', value: valueOf(await check(request, emit)) };
    }
    case 'run':
      return { kind: 'run', value: await doRunJob(job.request, tools) };
    default:
      return doStoreJob(job, tools);
  }
}

/** Sandboxes and layers with owners need root, if only that of a user namespace. A process cannot change to another one. */
function checkRoot(): void {
  if (process.getuid?.() === 0) return;
  throw buildError('no-permission', 'this process is not root, and has no ids to give files to', {
    hint: 'caisson unshare node ... runs a script as root of a user namespace, with the subordinate ids of its user',
  });
}

/** What the caller gets of an event: a change of 100,000 files would block its thread. */
function shortened(event: BuildEvent): BuildEvent {
  return event.kind === 'step-started' ? { ...event, reason: keptReason(event.reason) } : event;
}

/** An output as the build takes it: what the caller gave is written to through questions. */
function outputOf(output: WireOutput, questions: Questions): OutputRequest {
  if (output.type === 'local') return output;
  const { destination, ...what } = output;
  if (typeof destination === 'string') return { ...what, destination };
  const { option } = destination;
  return { ...what, destination: (bytes) => questions.write(option, bytes) };
}

async function requestOf(
  { context, secrets, registry, outputs = [], ...rest }: WireBuild,
  { signal, questions }: JobTools,
): Promise<BuildRequest> {
  const sources = Object.entries(secrets).map(([id, source]): [string, SecretSource] => [
    id,
    source.kind === 'asked' ? { kind: 'function', read: () => questions.secret(id) } : source,
  ]);
  return {
    ...rest,
    context: context ?? (await questions.context()),
    secrets: Object.fromEntries(sources),
    outputs: outputs.map((output) => outputOf(output, questions)),
    registry: registryOptions(registry, questions),
    signal,
  };
}
