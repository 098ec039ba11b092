import type { BuildEvent, StepInfo } from '@caisson/builder';
import { familiarNames, sizeText } from './image-text.ts';
import { counted, seconds, shortId, size } from './format.ts';
import { LineSplitter, printableLine } from './line-splitter.ts';
import { reasonText } from './reason-text.ts';

/** What happens to a step, but for what it writes. */
export type StepEvent = Extract<
  BuildEvent,
  { kind: 'step-cached' | 'step-started' | 'step-done' | 'step-failed' | 'step-cancelled' }
>;

/** What happens around the steps and is told in a line. */
export type OtherEvent = Extract<
  BuildEvent,
  {
    kind:
      | 'base'
      | 'isolation'
      | 'image'
      | 'index'
      | 'cache-imported'
      | 'cache-exported'
      | 'transfer'
      | 'pushing'
      | 'pushed'
      | 'output';
  }
>;

/** `#3 [build 2/4] RUN make` */
export function stepTitle({ id, name, text }: StepInfo): string {
  return `#${id} [${name}] ${printableLine(text)}`;
}

/** What became of a step, in a line. */
export function stepLine(event: StepEvent): string {
  const { id } = event.step;
  switch (event.kind) {
    case 'step-cached':
      return `#${id} cached`;
    case 'step-started':
      return `#${id} why: ${reasonText(event.reason)}`;
    case 'step-done':
      return `#${id} done ${seconds(event.duration)}${event.isSame ? ', with the same result as before' : ''}`;
    case 'step-failed':
      return `#${id} failed after ${seconds(event.duration)}`;
    case 'step-cancelled':
      return `#${id} cancelled after ${seconds(event.duration)}`;
  }
}

/** What a step writes from now on, as lines: each with the step's number and the seconds since then. */
export function stepOutput({ id }: StepInfo, tell: (line: string) => void): LineSplitter {
  const begunAt = performance.now();
  return new LineSplitter((line) => {
    const after = (performance.now() - begunAt) / 1000;
    tell(`#${id} ${after.toFixed(3)} ${line}`);
  });
}

/** What happened besides, in a line. */
export function otherLine(event: OtherEvent): string {
  switch (event.kind) {
    case 'base':
      return `base ${event.name} ${shortId(event.id)} (${ORIGIN[event.from]})`;
    case 'isolation':
      return `isolation: ${event.runtime}, network: ${event.network}`;
    case 'image':
      return imageLine(event);
    case 'index':
      return indexLines(event);
    case 'cache-imported':
      return `${event.from}: ${counted(event.records, 'record')}`;
    case 'cache-exported':
      return `wrote ${event.to}: ${counted(event.records, 'record')}`;
    case 'transfer':
      return `${ARRIVALS[event.arrival]} ${shortId(event.digest)} (${size(event.size)})`;
    case 'pushing':
      return `pushing ${event.name}`;
    case 'pushed':
      return `pushed ${event.name}@${event.digest}`;
    case 'output':
      return `wrote ${event.type} to ${event.destination === '-' ? 'the standard output' : (event.destination ?? 'a stream')}`;
  }
}

const ARRIVALS = { 'was-there': 'it has', mounted: 'mounted', sent: 'sent' } as const;

const ORIGIN = {
  store: 'from the store',
  remembered: 'as remembered',
  registry: 'from its registry',
} as const;

function imageLine(event: Extract<BuildEvent, { kind: 'image' }>): string {
  const names = event.isStored ? familiarNames(event) : [];
  return `image ${event.id}${names.length === 0 ? '' : ` named ${names.join(', ')}`} (${sizeText(event)})`;
}

function indexLines({ digest, images }: Extract<BuildEvent, { kind: 'index' }>): string {
  const lines = images.map((each) => `image ${each.id} for ${each.platform} (${size(each.size)})`);
  return [...lines, `index ${digest} of ${images.length} images`].join('\n');
}
