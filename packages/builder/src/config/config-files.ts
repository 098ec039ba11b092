import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '@caisson/registry';
import { buildError } from '../failure.ts';
import type { Settings } from './parse-settings.ts';

/** A config file that is there. */
export interface ConfigFile {
  readonly path: string;
  readonly settings: Settings;
}

/**
 * Reads the config files: that of the user first, then that of the system.
 * @throws BuildError `invalid-request` for one that cannot be read or says something that is not known
 */
export async function readConfigFiles(env: Environment): Promise<ConfigFile[]> {
  const home = env['HOME'] || homedir();
  const user = join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'caisson', 'config.toml');
  const files: ConfigFile[] = [];
  for (const path of [user, '/etc/caisson/config.toml']) {
    const text = await textOf(path);
    if (text === undefined) continue;
    // Most machines have no such file.
    const { parseSettings } = await import('./parse-settings.ts');
    files.push({ path, settings: parseSettings(path, text) });
  }
  return files;
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw buildError('invalid-request', `the config file ${path} cannot be read: ${error.message}`);
  }
}
