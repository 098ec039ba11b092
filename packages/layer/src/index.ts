export { applyLayer, type Applied, type ApplyRequest } from './apply.ts';
export {
  baseName,
  bytesOf,
  childOf,
  cleanPath,
  climbsOut,
  compareBytes,
  componentsOf,
  fsPath,
  hostPath,
  inFolder,
  isBelow,
  joinPath,
  parentOf,
  ROOT,
  textOf,
  type BytePath,
  type HostPath,
} from './byte-path.ts';
export { changedWhileRead, readingError } from './changed-file.ts';
export { digestInTar, isSameToc, isTocOf } from './check-toc.ts';
export { wrongInTree } from './check-tree.ts';
export { decompressed } from './decompress.ts';
export { diffLayer, diffTree, type DiffOptions, type DiffRequest } from './diff.ts';
export {
  clampTime,
  compareTimes,
  EPOCH,
  sizeOfFiles,
  timeOf,
  type DeviceEntry,
  type DirectoryEntry,
  type Entry,
  type FifoEntry,
  type FileEntry,
  type HardLinkEntry,
  type NodeEntry,
  type SymlinkEntry,
  type WhiteoutEntry,
  type Xattrs,
} from './entry.ts';
export { EarlierLayer } from './earlier-layer.ts';
export { LayerError, type LayerErrorCode } from './errors.ts';
export { fileIn } from './file-in.ts';
export { unmappable } from './erofs/unmappable.ts';
export { isMapOf, writeMap } from './erofs/write-map.ts';
export { flattenTrees, type FlattenRequest } from './flatten.ts';
export { gzipProgram } from './gzip-program.ts';
export { parentsOf, resolveInRoot, type Inspect, type Kind, type Resolved } from './in-root.ts';
export { type Content } from './copy-content.ts';
export { LayerWriter, type LayerWriterOptions, type WrittenLayer } from './layer-writer.ts';
export { nodeEntry } from './node-entry.ts';
export type { Parts } from './parts.ts';
export { PatchedTar, type TarOfLayer } from './patched-tar.ts';
export { programFile } from './program-file.ts';
export { sameAttributes, sameBytes } from './same-file.ts';
export { sameEntry } from './same-entry.ts';
export { StateTree } from './state-tree.ts';
export { tarName } from './tar-fields.ts';
export { BLOCK as TAR_BLOCK, encodeHeader as encodeTarHeader, type TarFields } from './tar-header.ts';
export { DigestThread } from './digest-thread.ts';
export { decodeToc, encodeToc, Toc, tocPieces, type TocNotes } from './toc.ts';
export { layerDifference, grownDelta, treeDelta, writeTreeDelta, type DeltaRequest } from './tree-delta.ts';
export type { FilePart } from './tree-writer.ts';
export { TreeThread } from './tree-thread.ts';
export { ChainView, type Found } from './view.ts';
export { isKeptXattr, readXattrs, sameXattrs } from './xattrs.ts';
