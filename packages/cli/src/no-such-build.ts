import { failureText } from './failure-text.ts';
import type { Terminal } from './terminal.ts';

/** Tells that there is no such build. @param id the beginning of an id; undefined where the last build was meant */
export function tellNoBuild(terminal: Terminal, id: string | undefined): void {
  const message =
    id === undefined ? 'this store knows no build' : `this store knows no build ${JSON.stringify(id)}`;
  const hint =
    id === undefined ? 'the last 50 builds are kept' : 'the last 50 builds are kept: caisson builds';
  terminal.error(failureText({ code: 'no-such-build', message, hint }, terminal.hasColor));
}
