export { RegistryError, type RegistryErrorCode } from './errors.ts';
export type { RegistryOptions } from './options.ts';
