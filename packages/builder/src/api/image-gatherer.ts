import type { Digest } from '@caisson/oci';
import type { BuildEvent, Warning } from '../events.ts';
import { keptReason } from '../report/kept-reason.ts';
import type { BuildResult } from '../result.ts';
import type { MissReason } from '../solve/miss-reason.ts';
import type { BuiltImage, BuiltStep } from './built-image.ts';

/** Gathers from the events of a build what its result tells besides. */
export class ImageGatherer {
  readonly #startedAt = performance.now();
  readonly #steps = new Map<number, BuiltStep>();
  readonly #reasons = new Map<number, { readonly key: Digest; readonly reason: MissReason }>();
  readonly #outputs: BuiltImage['outputs'][number][] = [];
  readonly #pushed: BuiltImage['pushed'][number][] = [];
  readonly #warnings: Warning[] = [];
  #isStored = false;

  note(event: BuildEvent): void {
    switch (event.kind) {
      case 'step-cached':
        this.#steps.set(event.step.id, { ...event.step, outcome: 'cached', key: event.key });
        break;
      case 'step-started':
        this.#reasons.set(event.step.id, { key: event.key, reason: keptReason(event.reason) });
        break;
      case 'step-done': {
        const { step, duration } = event;
        const known = this.#reasons.get(step.id);
        if (known !== undefined) this.#steps.set(step.id, { ...step, ...known, outcome: 'ran', duration });
        break;
      }
      case 'image':
        this.#isStored = event.isStored;
        break;
      case 'output':
        this.#outputs.push({
          type: event.type,
          ...(event.destination === undefined ? {} : { dest: event.destination }),
        });
        break;
      case 'pushed':
        this.#pushed.push({ name: event.name, digest: event.digest });
        break;
      case 'warning': {
        const { kind: _kind, ...warning } = event;
        this.#warnings.push(warning);
        break;
      }
      default:
    }
  }

  /** The result of the build, which has ended. */
  image({ imageId, manifest, images, names, isolation }: BuildResult): BuiltImage {
    return {
      id: imageId,
      digest: manifest.digest,
      manifest,
      config: images[0].config,
      images,
      names,
      isStored: this.#isStored,
      steps: [...this.#steps.values()].toSorted((a, b) => a.id - b.id),
      outputs: this.#outputs,
      pushed: this.#pushed,
      isolation,
      warnings: this.#warnings,
      duration: performance.now() - this.#startedAt,
    };
  }
}
