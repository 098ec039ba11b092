import type { Emit } from '../events.ts';
import type { OutputRequest } from '../request.ts';
import { writeFileArchive } from './file-archive.ts';
import { writeImageLayout } from './image-layout.ts';
import { writeLocalFolder } from './local-folder.ts';
import type { FinishedImage } from './output.ts';

/** Writes an image to every place that was asked for, one after another. */
export async function writeOutputs(
  image: FinishedImage,
  outputs: readonly OutputRequest[],
  emit: Emit,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const output of outputs) {
    await writeOutput(image, output, emit, signal);
    const { type, destination } = output;
    emit({ kind: 'output', type, ...(typeof destination === 'string' ? { destination } : {}) });
  }
}

function writeOutput(
  image: FinishedImage,
  output: OutputRequest,
  emit: Emit,
  signal: AbortSignal | undefined,
): Promise<void> {
  switch (output.type) {
    case 'oci':
    case 'docker':
      return writeImageLayout(image, output, emit, signal);
    case 'tar':
      return writeFileArchive(image, output, signal);
    case 'local':
      return writeLocalFolder(image, output, signal);
  }
}
