import manifest from '../package.json' with { type: 'json' };

/** The version of Caisson. */
export const version: string = manifest.version;
