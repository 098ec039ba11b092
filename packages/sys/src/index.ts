export {
  asFileUser,
  becomeUser,
  CAPABILITIES,
  capabilityMask,
  heldCapabilities,
  type Capability,
  type Identity,
} from './credentials.ts';
export {
  beginSync,
  beginWriteBack,
  writeBack,
  changeRoot,
  deviceNumber,
  FILE_TYPE,
  makeNode,
  setTimes,
  setTimesOf,
  splitDevice,
  syncFileSystem,
  type Time,
} from './file-system.ts';
export { findProgram } from './find-program.ts';
export { tryLock, unlock } from './flock.ts';
export type { FileStats, FolderScan } from './folder-scan.ts';
export { makeFolders } from './make-folders.ts';
export { loadLibc, type Path } from './libc.ts';
export { bringUpLoopback } from './loopback.ts';
export { sealedFile } from './memory-file.ts';
export { mount, MOUNT, pivotRoot, unmount, type MountRequest } from './mount.ts';
export {
  beginSession,
  blockOnStandardStreams,
  changeFolder,
  closeOnExecFrom,
  copyDescriptor,
  endWithParent,
  enlargePipe,
  execve,
  closeDescriptor,
  makePipe,
  passOnStandardStreams,
  resetSignals,
  setHostname,
  setResourceLimit,
  setNoNewPrivileges,
  setNonBlocking,
  setNotDumpable,
  setUmask,
} from './process.ts';
export { inUserNamespace, ownerError, UNMAPPED_HINT, UNMAPPED_ID, unmappedText } from './user-namespace.ts';
export { reachedLimit, type ReachedLimit } from './reached-limit.ts';
export { scanFolder } from './scan-folder.ts';
export { errorCode, isFull, SyscallError } from './syscall-error.ts';
export {
  copyWindowSize,
  makeRaw,
  openPseudoterminal,
  takeTerminal,
  type Pseudoterminal,
} from './terminal.ts';
export { acceptConnection, listenAt, receiveDescriptor } from './unix-socket.ts';
export { getXattr, listXattrs, removeXattr, setXattr } from './xattr.ts';
