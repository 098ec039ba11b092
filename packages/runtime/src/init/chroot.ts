import { becomeUser, changeFolder, changeRoot, endWithParent, setUmask } from '@caisson/sys';
import { isProgramInit, type ProgramInit } from './init-spec.ts';
import { becomeProgram, prepareProgram, runInit } from './init.ts';

/*
 * The first process of a sandbox that has no namespaces. A root is left by a second chroot only, or through something
 * that is open outside of it: the right to the first is given up, and nothing is open but the standard streams. What
 * has fewer rights than the builder cannot trace it either.
 */

function enterRoot(spec: ProgramInit): never {
  setUmask(0o022);
  prepareProgram(spec);
  changeRoot(spec.root);
  changeFolder('/');
  becomeUser(spec.identity, spec.capabilities);
  // It does not outlive the host; what it started is ended by the host.
  if (!endWithParent()) throw new Error('the sandbox host has ended');
  return becomeProgram(spec);
}

runInit(isProgramInit, enterRoot);
