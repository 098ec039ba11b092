import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { CAISSON } from '../rig/caisson.ts';
import { TerminalRun } from '../rig/tmux.ts';
import { lacks, type Need } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

/** Shells that have read nothing but the script, each with a prompt that can be looked for. */
const SHELLS: readonly { readonly name: Need | 'bash'; readonly command: string }[] = [
  {
    name: 'bash',
    command: `bash --noprofile --rcfile <(caisson completion bash; echo "PS1='> '")`,
  },
  {
    name: 'zsh',
    command: `zsh -f -i`,
  },
  {
    name: 'fish',
    command: `fish --no-config -C 'caisson completion fish | source; function fish_prompt; echo -n "> "; end; set -g fish_autosuggestion_enabled 0'`,
  },
];

const FILES = {
  Dockerfile: 'FROM scratch AS files\nCOPY file /\nFROM files AS final-stage\nCOPY file /again\n',
  file: 'file\n',
  'a file': 'FROM scratch AS quoted\n',
  'folder/file': 'file\n',
};

/** What is typed, and what the line is when tab was pressed. */
const LINES: readonly (readonly [typed: string, completed: string])[] = [
  ['caisson comp', 'caisson completion'],
  ['caisson completion fi', 'caisson completion fish'],
  ['caisson help ver', 'caisson help version'],
  ['caisson store ver', 'caisson store verify'],
  ['caisson build --targ', 'caisson build --target'],
  ['caisson --root ../nowhere rmi --forc', 'caisson --root ../nowhere rmi --force'],
  ['caisson build --target fin', 'caisson build --target final-stage'],
  ['caisson build --target=fin', 'caisson build --target=final-stage'],
  ['caisson build -f a\\ file --target q', 'caisson build -f a\\ file --target quoted'],
  ['caisson build --progress raw', 'caisson build --progress rawjson'],
  ['caisson build --progress=raw', 'caisson build --progress=rawjson'],
  ['caisson build --pull=m', 'caisson build --pull=missing'],
  ['caisson run --runtime crun,nam', 'caisson run --runtime crun,namespaces'],
  ['caisson rmi my-a', 'caisson rmi my-app:1.0'],
  ['caisson rmi my-app:', 'caisson rmi my-app:1.0'],
  ['caisson run -it my-app', 'caisson run -it my-app:1.0'],
  ['caisson build -f Dock', 'caisson build -f Dockerfile'],
  ['caisson build --file=Dock', 'caisson build --file=Dockerfile'],
  ['caisson build -f a\\ f', 'caisson build -f a\\ file'],
  ['caisson check-ignore --context fo', 'caisson check-ignore --context folder/'],
  ['caisson build -f $(touch evil) --targ', 'caisson build -f $(touch evil) --target'],
];

describe.each(SHELLS)('completion in $name', ({ name, command }) => {
  const needs: readonly Need[] = name === 'bash' ? ['root', 'tmux'] : ['root', 'tmux', name];
  test.skipIf(lacks(...needs))(
    'of commands, flags, choices, names and paths',
    { timeout: 120_000 },
    async ({ world }) => {
      world.write(FILES);
      await world.build(['-t', 'my-app:1.0']);
      const { stdout: id } = await world.ok(['builds', '-q']);
      await using shell = await openShell(world, command);
      if (name === 'zsh') {
        await shell.type(
          `autoload -U compinit; compinit -u -D; source <(caisson completion zsh); PS1='> '\n`,
        );
      }
      await shell.shows(/^>$/m);
      const lines = [...LINES, [`caisson logs ${id.slice(0, 8)}`, `caisson logs ${id.trim()}`]] as const;
      for (const [typed, completed] of lines) {
        await shell.press('C-u', 'C-l');
        await shell.type(typed);
        await shell.press('Tab');
        await shell.shows(`> ${completed}`);
      }
      expect(existsSync(join(world.context, 'evil'))).toBe(false);
    },
  );
});

/** A shell that finds `caisson` in its PATH. */
async function openShell(world: World, command: string): Promise<TerminalRun> {
  const bin = join(world.folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'caisson'), `#!/bin/sh\nexec '${process.execPath}' '${CAISSON}' "$@"\n`);
  chmodSync(join(bin, 'caisson'), 0o755);
  const path = `${bin}:${process.env['PATH'] ?? ''}`;
  const inBash = join(world.folder, 'start');
  writeFileSync(inBash, `exec ${command}\n`);
  return TerminalRun.open(world, `exec bash '${inBash}'`, { columns: 100, rows: 24 }, { PATH: path });
}
