import type { Emit } from '../events.ts';
import type { OutputRequest } from '../request.ts';
import { writeFileArchive } from './file-archive.ts';
import { writeImageLayout } from './image-layout.ts';
import { writeLocalFolders } from './local-folder.ts';
import type { Finished } from './output.ts';

/** Writes what was built to every place that was asked for, one after another. */
export async function writeOutputs(
  finished: Finished,
  outputs: readonly OutputRequest[],
  emit: Emit,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const output of outputs) {
    await writeOutput(finished, output, emit, signal);
    const { type, destination } = output;
    emit({ kind: 'output', type, ...(typeof destination === 'string' ? { destination } : {}) });
  }
}

function writeOutput(
  finished: Finished,
  output: OutputRequest,
  emit: Emit,
  signal: AbortSignal | undefined,
): Promise<void> {
  switch (output.type) {
    case 'oci':
    case 'docker':
      return writeImageLayout(finished, output, emit, signal);
    case 'tar':
      return writeFileArchive(finished, output, signal);
    case 'local':
      return writeLocalFolders(finished, output, signal);
  }
}
