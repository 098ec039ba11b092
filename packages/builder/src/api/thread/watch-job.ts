import { BuildError, type Failure } from '../../failure.ts';
import { watch, type WatchRequest } from '../../watch/watch.ts';
import { ImageGatherer } from '../image-gatherer.ts';
import type { WatchEvent } from '../watch-event.ts';

/**
 * Watches until the request's signal is aborted.
 * @throws BuildError where nothing can be watched
 * @param tell takes what happens; the result of a build has what its events told
 */
export async function doWatchJob(request: WatchRequest, tell: (event: WatchEvent) => void): Promise<void> {
  let gatherer = new ImageGatherer();
  let failures: readonly Failure[] | undefined;
  for await (const event of watch(request)) {
    failures = event.kind === 'not-built' ? event.failures : undefined;
    switch (event.kind) {
      case 'built':
        tell({
          kind: 'built',
          image: gatherer.image(event.result),
          isNew: event.isNew,
          duration: event.duration,
        });
        break;
      case 'changed':
      case 'overtaken':
        gatherer = new ImageGatherer();
        tell(event);
        break;
      case 'not-built':
      case 'watch-limit':
      case 'waiting':
        tell(event);
        break;
      default:
        gatherer.note(event);
        tell(event);
    }
  }
  // It did not wait for a change: nothing can be watched.
  if (failures !== undefined && request.signal?.aborted !== true) throw new BuildError(failures);
}
