import { describe, expect, test } from 'vitest';
import { changeOf, type Changes } from './changes.ts';
import type { Clock } from './clock.ts';
import { WatchLoop, type RunningBuild } from './watch-loop.ts';

/** A clock that stands still, and one timer. */
class FakeClock implements Clock {
  time = 0;
  #timer: { readonly at: number; readonly callback: () => void } | undefined;
  readonly now = (): number => this.time;

  readonly setTimer: Clock['setTimer'] = (callback, after) => {
    if (this.#timer !== undefined) throw new Error('two timers run');
    const timer = { at: this.time + after, callback };
    this.#timer = timer;
    return {
      [Symbol.dispose]: () => {
        if (this.#timer === timer) this.#timer = undefined;
      },
    };
  };

  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  pass(milliseconds: number): void {
    this.time += milliseconds;
    const timer = this.#timer;
    if (timer === undefined || timer.at > this.time) return;
    this.#timer = undefined;
    timer.callback();
  }
}

/** A build that ends when the test says so. */
class FakeBuild implements RunningBuild {
  readonly log: string[] = [];
  readonly changes: Changes | undefined;
  readonly #end = Promise.withResolvers<void>();
  readonly ended = this.#end.promise;

  constructor(changes: Changes | undefined) {
    this.changes = changes;
  }

  retire(): void {
    this.log.push('retire');
  }

  abort(): void {
    this.log.push('abort');
  }

  async end(error?: unknown): Promise<void> {
    if (error === undefined) this.#end.resolve();
    else this.#end.reject(error);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

function start() {
  const clock = new FakeClock();
  const builds: FakeBuild[] = [];
  let rests = 0;
  const loop = new WatchLoop({
    clock,
    onRest: () => {
      rests++;
    },
    build: (changes) => {
      const build = new FakeBuild(changes);
      builds.push(build);
      return build;
    },
  });
  const last = (): FakeBuild => builds.at(-1) ?? new FakeBuild(undefined);
  const change = (path: string): void => loop.change(changeOf(path, clock.time));
  const paths = (): unknown[] =>
    builds.map(({ changes }) => (changes === undefined ? undefined : Array.from<unknown>(changes.paths)));
  return { clock, loop, last, change, paths, rests: () => rests };
}

describe('a watch', () => {
  test('builds at once, and then when something changed, after a moment', async () => {
    const { clock, last, change, paths, rests } = start();
    expect(paths()).toEqual([undefined]);
    await last().end();
    expect(rests()).toBe(1);
    change('/a');
    clock.pass(10);
    change('/b');
    clock.pass(10);
    expect(paths()).toHaveLength(1);
    clock.pass(10);
    expect(paths()).toEqual([undefined, ['/a', '/b']]);
    await last().end();
    expect(rests()).toBe(2);
  });

  test('loses no edit of the time while it builds', async () => {
    const { clock, last, change, paths, rests } = start();
    change('/a');
    await last().end();
    expect(paths()).toHaveLength(1);
    clock.pass(20);
    expect(paths()).toEqual([undefined, ['/a']]);
    expect(rests()).toBe(0);
  });

  test('retires a build that was overtaken, and begins the next one when it has ended', async () => {
    const { clock, last, change, paths } = start();
    const first = last();
    change('/a');
    clock.pass(20);
    expect(first.log).toEqual(['retire']);
    change('/b');
    expect(paths()).toHaveLength(1);
    clock.pass(20);
    expect(first.log).toEqual(['retire', 'retire']);
    await first.end();
    expect(paths()).toEqual([undefined, ['/a', '/b']]);
  });

  test('gathers on where the build ends before it was retired again', async () => {
    const { clock, last, change, paths } = start();
    const first = last();
    change('/a');
    clock.pass(20);
    change('/b');
    await first.end();
    expect(paths()).toHaveLength(1);
    clock.pass(20);
    expect(paths()).toEqual([undefined, ['/a', '/b']]);
  });

  test('is over at once where nothing runs, and leaves no timer', async () => {
    const { clock, loop, last, change } = start();
    await last().end();
    change('/a');
    expect(clock.isWaiting).toBe(true);
    loop.close();
    await loop.finished;
    expect(clock.isWaiting).toBe(false);
    change('/b');
    expect(clock.isWaiting).toBe(false);
  });

  test('waits for the build that it ends', async () => {
    const { clock, loop, last, change } = start();
    change('/a');
    loop.close();
    expect(last().log).toEqual(['abort']);
    expect(clock.isWaiting).toBe(false);
    const order: string[] = [];
    const finished = loop.finished.finally(() => order.push('finished'));
    await Promise.resolve();
    order.push('ended');
    await last().end();
    await finished;
    expect(order).toEqual(['ended', 'finished']);
  });

  test('ends with what nobody expected of a build', async () => {
    const { loop, last } = start();
    const finished = loop.finished.catch((error: unknown) => String(error));
    await last().end(new Error('a bug'));
    expect(await finished).toBe('Error: a bug');
  });
});
