import type { BuildEvent, Emit, StepInfo } from '@caisson/builder';
import { familiarName, parseReference } from '@caisson/oci';
import { buildFailuresText, warningText } from '../failure-text.ts';
import type { Terminal } from '../terminal.ts';
import { LineSplitter } from './line-splitter.ts';
import { reasonText } from './reason-text.ts';
import { seconds, shortId, size } from './format.ts';

/**
 * Progress as lines, one after another, for logs: each begins with the number of its step. It is written to the
 * standard error, so that what a program wants is alone on the standard output.
 */
export function plainProgress(terminal: Terminal): Emit {
  const lines = new Map<StepInfo, LineSplitter>();
  const startedAt = new Map<StepInfo, number>();
  const fetched = new Set<string>();
  const tell = (line: string): void => terminal.error(`${line}\n`);
  const outputOf = (step: StepInfo): LineSplitter => {
    const known =
      lines.get(step) ??
      new LineSplitter((line) => {
        const after = (performance.now() - (startedAt.get(step) ?? 0)) / 1000;
        tell(`#${step.id} ${after.toFixed(3)} ${line}`);
      });
    lines.set(step, known);
    return known;
  };
  const finish = (step: StepInfo): void => lines.get(step)?.end();

  return (event: BuildEvent) => {
    switch (event.kind) {
      case 'planned':
        return undefined;
      case 'base':
        return tell(`base ${event.name} ${shortId(event.id)} (${ORIGIN[event.from]})`);
      case 'fetch':
        if (event.received < event.size || fetched.has(event.digest)) return undefined;
        fetched.add(event.digest);
        return tell(`pulled ${shortId(event.digest)} of ${event.image} (${size(event.size)})`);
      case 'step-cached':
        return tell(`${title(event.step)}\n#${event.step.id} cached`);
      case 'step-started':
        startedAt.set(event.step, performance.now());
        return tell(`${title(event.step)}\n#${event.step.id} why: ${reasonText(event.reason)}`);
      case 'step-output':
        return outputOf(event.step).push(event.data);
      case 'step-done':
        finish(event.step);
        return tell(
          `#${event.step.id} done ${seconds(event.duration)}${event.isSame ? ', with the same result as before' : ''}`,
        );
      case 'step-failed':
        finish(event.step);
        return tell(`#${event.step.id} failed after ${seconds(event.duration)}`);
      case 'isolation':
        return tell(`isolation: ${event.runtime}, network: ${event.network}`);
      case 'warning':
        return terminal.error(warningText(event, terminal.hasColor));
      case 'image':
        return tell(imageLine(event));
      case 'cache-imported':
      case 'cache-exported':
      case 'transfer':
      case 'pushed':
      case 'output':
        return tell(travelLine(event));
      case 'failed':
        return terminal.error(buildFailuresText(event.failures, terminal.hasColor));
    }
  };
}

/** With `--progress quiet`: warnings and failures only, and none of the lint. */
export function quietProgress(terminal: Terminal): Emit {
  return (event) => {
    if (event.kind === 'warning' && event.rule === undefined)
      terminal.error(warningText(event, terminal.hasColor));
    if (event.kind !== 'failed') return;
    terminal.error(buildFailuresText(event.failures, terminal.hasColor));
  };
}

/** What comes from another place, or goes there. */
type Travel = Extract<
  BuildEvent,
  { kind: 'cache-imported' | 'cache-exported' | 'transfer' | 'pushed' | 'output' }
>;

function travelLine(event: Travel): string {
  switch (event.kind) {
    case 'cache-imported':
      return `${event.from}: ${event.records} records`;
    case 'cache-exported':
      return `wrote ${event.to}: ${event.records} records`;
    case 'transfer':
      return `${ARRIVALS[event.arrival]} ${shortId(event.digest)} (${size(event.size)})`;
    case 'pushed':
      return `pushed ${event.name}@${event.digest}`;
    case 'output':
      return `wrote ${event.type} to ${event.destination === '-' ? 'the standard output' : event.destination}`;
  }
}

const ARRIVALS = { 'was-there': 'it has', mounted: 'mounted', sent: 'sent' } as const;

const ORIGIN = {
  store: 'from the store',
  remembered: 'as remembered',
  registry: 'from its registry',
} as const;

function title({ id, name, text }: StepInfo): string {
  return `#${id} [${name}] ${text}`;
}

function imageLine({ id, names, isStored }: Extract<BuildEvent, { kind: 'image' }>): string {
  const shown = names.map((name) => {
    const reference = parseReference(name);
    return reference.ok ? familiarName(reference.value) : name;
  });
  return `image ${id}${shown.length === 0 || !isStored ? '' : ` named ${shown.join(', ')}`}`;
}
