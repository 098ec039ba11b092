import { posix } from 'node:path';
import type { Healthcheck } from '@caisson/oci';
import {
  errorAt,
  type ArgInstruction,
  type CmdInstruction,
  type Command,
  type EntrypointInstruction,
  type EnvInstruction,
  type ExposeInstruction,
  type HealthcheckInstruction,
  type LabelInstruction,
  type MaintainerInstruction,
  type OnbuildInstruction,
  type Pair,
  type ShellInstruction,
  type StopsignalInstruction,
  type UserInstruction,
  type VolumeInstruction,
} from '@caisson/parser';
import { goHealthcheck, goList, goQuotedList } from './go-format.ts';
import { parseExposedPorts } from './ports.ts';
import { isSignal, nearestSignal } from './signals.ts';
import type { StageDraft } from './stage-draft.ts';

/* Instructions that change the config alone. Each leaves a line in the history, but for ONBUILD. */

function expandPairs(draft: StageDraft, pairs: readonly Pair[]): { key: string; value: string }[] {
  return pairs.flatMap((pair) => {
    const key = draft.expand(pair.key);
    const value = draft.expand(pair.value);
    return key === undefined || value === undefined ? [] : [{ key, value }];
  });
}

export function applyEnv(draft: StageDraft, { pairs }: EnvInstruction): void {
  const expanded = expandPairs(draft, pairs); // all with the values from before
  for (const { key, value } of expanded) draft.setEnv(key, value);
  draft.note(`ENV ${expanded.map(({ key, value }) => `${key}=${value}`).join(' ')}`);
}

export function applyLabel(draft: StageDraft, { pairs }: LabelInstruction): void {
  const expanded = expandPairs(draft, pairs);
  for (const { key, value } of expanded) draft.setLabel(key, value);
  draft.note(`LABEL ${expanded.map(({ key, value }) => `${key}=${value}`).join(' ')}`);
}

export function applyArg(draft: StageDraft, { args }: ArgInstruction): void {
  const shown = args.map(({ name, value }) => {
    const { buildArgs, globalArgs } = draft.settings;
    // A default is not even looked at where a value is given, nor is one that is wrong an error then.
    const given = buildArgs.get(name.text);
    const set = given ?? (value === undefined ? globalArgs.get(name.text) : draft.expand(value));
    draft.setArg(name.text, set);
    return set === undefined ? name.text : `${name.text}=${set}`;
  });
  draft.note(`ARG ${shown.join(' ')}`);
}

export function applyUser(draft: StageDraft, { value }: UserInstruction): void {
  const user = draft.expand(value);
  if (user === undefined) return;
  draft.config.User = user;
  draft.note(`USER ${user}`);
}

/** The path that WORKDIR names, seen from the working folder before it. As with docker, an absolute one stays as it is written. */
export function resolveWorkdir(before: string, path: string): string {
  return posix.isAbsolute(path) ? path : posix.resolve('/', before, path);
}

export function applyExpose(draft: StageDraft, { ports }: ExposeInstruction): void {
  const named: string[] = [];
  // Docker sorts the words as they are written, and tells ports as often as they are named.
  for (const word of ports.toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))) {
    for (const text of draft.expandList(word)) {
      const parsed = parseExposedPorts(text);
      if (parsed.ok) named.push(...parsed.value);
      else
        draft.settings.report(
          errorAt(word.range, 'invalid-value', parsed.error.message, {
            expected: 'port[-port][/tcp|udp|sctp]',
            suggestion: parsed.error.suggestion,
          }),
        );
    }
  }
  draft.config.ExposedPorts = {
    ...draft.config.ExposedPorts,
    ...Object.fromEntries(named.map((port) => [port, {}])),
  };
  draft.note(`EXPOSE ${goList(named)}`);
}

export function applyVolume(draft: StageDraft, { paths }: VolumeInstruction): void {
  const expanded = paths.flatMap((word) => {
    const path = draft.expand(word);
    if (path === '')
      draft.settings.report(errorAt(word.range, 'invalid-value', 'the path of a volume is empty'));
    return path === undefined || path === '' ? [] : [path];
  });
  draft.config.Volumes = {
    ...draft.config.Volumes,
    ...Object.fromEntries(expanded.map((path) => [path, {}])),
  };
  draft.note(`VOLUME ${goList(expanded)}`);
}

export function applyShell(draft: StageDraft, { args }: ShellInstruction): void {
  draft.config.Shell = args;
  draft.note(`SHELL ${goList(args)}`);
}

export function applyCmd(draft: StageDraft, { command }: CmdInstruction): void {
  const args = commandArgs(draft, command);
  draft.config.Cmd = args;
  draft.config.ArgsEscaped = true;
  draft.hasOwnCmd = true;
  draft.note(`CMD ${goQuotedList(args)}`);
}

export function applyEntrypoint(draft: StageDraft, { command }: EntrypointInstruction): void {
  const args = commandArgs(draft, command);
  draft.config.Entrypoint = args;
  if (!draft.hasOwnCmd) delete draft.config.Cmd;
  draft.note(`ENTRYPOINT ${goQuotedList(args)}`);
}

function commandArgs(draft: StageDraft, command: Command): readonly string[] {
  return command.form === 'exec' ? command.args : [...draft.shell, command.text];
}

export function applyStopsignal(draft: StageDraft, { value }: StopsignalInstruction): void {
  const signal = draft.expand(value);
  if (signal === undefined) return;
  if (!isSignal(signal)) {
    draft.settings.report(
      errorAt(value.range, 'invalid-value', `${JSON.stringify(signal)} is no signal`, {
        expected: 'a number from 1 to 64, or a name',
        suggestion: nearestSignal(signal),
      }),
    );
  }
  draft.config.StopSignal = signal;
  draft.note(`STOPSIGNAL ${signal}`);
}

export function applyHealthcheck(draft: StageDraft, instruction: HealthcheckInstruction): void {
  const { command, interval, timeout, startPeriod, startInterval, retries } = instruction;
  const healthcheck: Healthcheck = {
    Test: healthTest(command),
    ...(interval === 0 ? {} : { Interval: interval }),
    ...(timeout === 0 ? {} : { Timeout: timeout }),
    ...(startPeriod === 0 ? {} : { StartPeriod: startPeriod }),
    ...(startInterval === 0 ? {} : { StartInterval: startInterval }),
    ...(retries === 0 ? {} : { Retries: retries }),
  };
  draft.config.Healthcheck = healthcheck;
  draft.note(`HEALTHCHECK ${goHealthcheck(healthcheck)}`);
}

function healthTest(command: Command | undefined): string[] {
  if (command === undefined) return ['NONE'];
  return command.form === 'exec' ? ['CMD', ...command.args] : ['CMD-SHELL', command.text];
}

export function applyMaintainer(draft: StageDraft, { value }: MaintainerInstruction): void {
  draft.author = value.text;
  draft.note(`MAINTAINER ${value.text}`);
}

export function applyOnbuild(draft: StageDraft, { trigger }: OnbuildInstruction): void {
  draft.config.OnBuild = [...(draft.config.OnBuild ?? []), trigger];
}
