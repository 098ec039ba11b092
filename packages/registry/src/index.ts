export { fetchBlob, type FetchBlobOptions } from './blobs.ts';
export { RegistryClient, type Repository } from './client.ts';
export { HttpClient } from './http-client.ts';
export { RegistryError, type RegistryErrorCode } from './errors.ts';
export type { RegistryOptions } from './options.ts';
export { pullImage, putDocuments, type OnTransfer, type PullOptions } from './pull.ts';
export { pushImage, type PushOptions } from './push.ts';
export { fetchImage, resolveDigest, type RemoteImage } from './remote-image.ts';
export type { Arrival } from './upload.ts';
