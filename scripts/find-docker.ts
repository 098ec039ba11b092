import { execa } from 'execa';
import { findTool } from '../test/rig/tools.ts';

/** A client of Docker whose engine answers and that has BuildKit. */
export interface Docker {
  readonly program: string;
  /** Of the engine. */
  readonly version: string;
}

/** Finds Docker. PEER_DOCKER names another client than that of the PATH. */
export async function findDocker(): Promise<Docker | undefined> {
  const program = process.env['PEER_DOCKER'] ?? findTool('docker');
  if (program === undefined) return undefined;
  const { exitCode, stdout } = await execa(program, ['version', '--format', '{{.Server.Version}}'], {
    reject: false,
  });
  const { exitCode: withoutBuildx } = await execa(program, ['buildx', 'version'], { reject: false });
  if (exitCode !== 0 || withoutBuildx !== 0) return undefined;
  return { program, version: stdout.replace(/\+.*/, '') };
}
