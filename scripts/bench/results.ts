import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as z from 'zod/mini';

const measured = z.object({ seconds: z.number(), peak: z.number() });

const workResult = z.object({
  rounds: z.int(),
  date: z.string(),
  /** By the name of the builder, for each column of the work. */
  builders: z.record(z.string(), z.array(z.nullable(measured))),
  /** What there is to say of us that is no time, by its title. */
  notes: z.optional(z.record(z.string(), z.string())),
});

const results = z.record(z.string(), workResult);

/** Medians of one work. */
export type WorkResult = z.infer<typeof workResult>;

/** What was measured on this machine so far, by the id of the work: so a page can be made of several runs. */
export class Results {
  readonly #path: string;
  readonly #known: Record<string, WorkResult>;

  constructor(path: string) {
    this.#path = path;
    this.#known = existsSync(path) ? results.parse(JSON.parse(readFileSync(path, 'utf8'))) : {};
  }

  get(id: string): WorkResult | undefined {
    return this.#known[id];
  }

  put(id: string, result: WorkResult): void {
    this.#known[id] = result;
    writeFileSync(this.#path, JSON.stringify(this.#known, undefined, 2));
  }
}
