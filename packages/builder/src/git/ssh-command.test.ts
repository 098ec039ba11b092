import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sshCommand } from './ssh-command.ts';

test('in a user namespace ssh is told where the files of the user are', () => {
  const home = mkdtempSync(join(tmpdir(), 'caisson home-'));
  try {
    expect(sshCommand(home, false)).toBe('ssh -o BatchMode=yes');
    expect(sshCommand(undefined, true)).toBe('ssh -o BatchMode=yes');
    expect(sshCommand(`${home}'; rm -rf /`, true)).toBe('ssh -o BatchMode=yes');
    const hosts = `-o 'UserKnownHostsFile "${home}/.ssh/known_hosts" "${home}/.ssh/known_hosts2"'`;
    expect(sshCommand(home, true)).toBe(`ssh -o BatchMode=yes ${hosts}`);
    mkdirSync(join(home, '.ssh'));
    for (const name of ['config', 'id_ed25519']) writeFileSync(join(home, '.ssh', name), '');
    expect(sshCommand(home, true)).toBe(
      `ssh -o BatchMode=yes -F '${home}/.ssh/config' ${hosts} -o 'IdentityFile "${home}/.ssh/id_ed25519"'`,
    );
  } finally {
    rmSync(home, { recursive: true });
  }
});
