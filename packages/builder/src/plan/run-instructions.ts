import { posix } from 'node:path';
import {
  errorAt,
  heredocText,
  suggest,
  parseHeredocOpening,
  type RunInstruction,
  type WorkdirInstruction,
} from '@caisson/parser';
import { optionWords } from '../option-words.ts';
import { buildError } from '../failure.ts';
import { resolveWorkdir } from './instructions-metadata.ts';
import type { Place, PlannedMount, PlannedRun } from './planned.ts';
import { proxyEnv } from './predefined-args.ts';
import type { StageDraft } from './stage-draft.ts';
import { stepText } from './step-text.ts';

/* RUN and WORKDIR: each becomes a step. */

/** `RUN`: a command, in the environment, folder and name of whom the stage has come to. */
export function applyRun(
  draft: StageDraft,
  instruction: RunInstruction,
  place: Place,
  mounts: readonly PlannedMount[],
): void {
  refuseRights(draft, instruction);
  const { args, script } = commandOf(draft, instruction);
  draft.addStep(
    {
      kind: 'run',
      text: stepText(instruction),
      place,
      args,
      env: draft.runEnv,
      argNames: draft.argNames,
      unkeyedEnv: proxyEnv(draft.settings.buildArgs),
      cwd: draft.workdir,
      user: draft.config.User ?? '',
      network: networkOf(draft, instruction),
      hostname: hostnameOf(draft.settings.buildArgs),
      mounts,
      script,
    },
    `RUN ${draft.historyArgs}${args.join(' ')} # buildkit`,
  );
}

function commandOf(
  draft: StageDraft,
  { command, heredocs }: RunInstruction,
): Pick<PlannedRun, 'args' | 'script'> {
  if (command.form === 'exec') return { args: command.args, script: undefined };
  const [first] = heredocs;
  if (first === undefined) return { args: [...draft.shell, command.text], script: undefined };
  if (heredocs.length > 1 || parseHeredocOpening(command.text) === undefined) {
    // The shell knows heredocs itself: it gets the text back as it was.
    const bodies = heredocs.map(({ body, name }) => `\n${body}${name}`).join('');
    return { args: [...draft.shell, command.text + bodies], script: undefined };
  }
  const text = heredocText(first);
  // As with docker, what has tabs before it is no script, though they are dropped.
  if (!first.body.startsWith('#!')) return { args: [...draft.shell, text], script: undefined };
  return {
    args: [...draft.shell, `/dev/pipes/${first.name}`],
    script: { name: first.name, bytes: Buffer.from(text, 'utf8') },
  };
}

function networkOf(draft: StageDraft, { flags }: RunInstruction): 'host' | 'none' {
  const flag = flags.find((each) => each.name === 'network');
  if (flag?.value === undefined || flag.value === 'default') return draft.settings.network;
  if (flag.value === 'none') return 'none';
  if (flag.value === 'host') {
    if (draft.settings.allow.has('network.host')) return 'host';
    draft.settings.report(
      errorAt(flag.range, 'not-allowed', "this build does not allow its steps the host's network", {
        hint: `${optionWords().allowHostNetwork}, or ${optionWords().hostNetwork}, allows it`,
      }),
    );
    return 'none';
  }
  const message = `${JSON.stringify(flag.value)} is no network`;
  const suggestion = suggest(flag.value, ['default', 'none', 'host']);
  draft.settings.report(
    errorAt(flag.valueRange, 'invalid-value', message, { expected: 'default, none or host', suggestion }),
  );
  return 'none';
}

const HOSTNAME = 'BUILDKIT_SANDBOX_HOSTNAME';

/** What a build arg calls the machine of each step. @throws BuildError `invalid-request` */
function hostnameOf(buildArgs: ReadonlyMap<string, string>): string | undefined {
  const name = buildArgs.get(HOSTNAME);
  if (name === undefined || name === '') return undefined;
  if (/^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/.test(name)) return name;
  throw buildError('invalid-request', `the build arg ${HOSTNAME} ${JSON.stringify(name)} is no host name`, {
    expected: 'letters, digits, "." and "-", 63 at most',
  });
}

/** A step never has more rights than its sandbox: what asks for more is an error, never passed over. */
function refuseRights(draft: StageDraft, { flags }: RunInstruction): void {
  for (const { name, value, range, valueRange } of flags) {
    if (name === 'device') {
      const message = 'a step sees no devices of the host: RUN --device is not possible';
      draft.settings.report(errorAt(range, 'not-supported', message));
    }
    if (name !== 'security' || value === 'sandbox') continue;
    const isKnown = value === 'insecure';
    const message = isKnown
      ? 'a step has no more rights than its sandbox: RUN --security=insecure is not possible'
      : `${JSON.stringify(value)} is no kind of security`;
    const suggestion = isKnown ? undefined : suggest(value ?? '', ['sandbox']);
    draft.settings.report(
      errorAt(valueRange, isKnown ? 'not-supported' : 'invalid-value', message, {
        expected: '--security=sandbox',
        suggestion,
      }),
    );
  }
}

/** `WORKDIR`: the folder is made where it is missing; the root is always there. */
export function applyWorkdir(draft: StageDraft, instruction: WorkdirInstruction, place: Place): void {
  const expanded = draft.expand(instruction.value);
  if (expanded === undefined) return;
  const path = resolveWorkdir(draft.workdir, expanded);
  draft.config.WorkingDir = path;
  const createdBy = `WORKDIR ${path}`;
  if (path === '/') draft.note(createdBy);
  else
    draft.addStep(
      {
        kind: 'workdir',
        text: stepText(instruction),
        place,
        path: posix.resolve(path),
        user: draft.config.User ?? '',
      },
      createdBy,
    );
}
