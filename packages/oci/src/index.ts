export { checkedBytes } from './checked-bytes.ts';
export { canonicalJson, isJsonArray, type Json } from './canonical-json.ts';
export { chooseManifest, MAX_INDEX_DEPTH } from './choose-manifest.ts';
export { describeZodError } from './describe-zod-error.ts';
export {
  asDiffId,
  chainIds,
  Digester,
  digestFromHex,
  digestOf,
  hexOf,
  isDiffId,
  isDigest,
  parseDigest,
  type ChainId,
  type DiffId,
  type Digest,
} from './digest.ts';
export {
  imageConfigBytes,
  parseImageConfig,
  DEFAULT_PATH,
  type ContainerConfig,
  type Healthcheck,
  type HistoryEntry,
  type ImageConfig,
} from './image-config.ts';
export { platformIndex, type PlatformIndex } from './platform-index.ts';
export {
  manifestBytes,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Index,
  type Manifest,
} from './manifest.ts';
export {
  isForeignLayer,
  isIndexType,
  isManifestType,
  layerCompression,
  layerMediaType,
  MEDIA_TYPES,
  type Compression,
} from './media-types.ts';
export { nearestPlatform, nearestPlatformName } from './nearest-platform.ts';
export {
  formatPlatform,
  hostPlatform,
  normalise,
  parsePlatform,
  platformOf,
  runsOn,
  type Platform,
} from './platform.ts';
export { familiarName, formatReference, parseReference, type Reference } from './reference.ts';
export { err, ok, type Result } from './result.ts';
export { parseSourceDateEpoch } from './source-date-epoch.ts';
export { parseStrictJson } from './strict-json.ts';
export { validateImage } from './validate.ts';
