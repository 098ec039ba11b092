import { cannotMount } from '../../packages/layer/src/erofs/testing/map-rig.ts';

/** Why layers cannot be mounted through maps on this machine; undefined where they can. */
export const whyNoMaps = cannotMount();

/** What layers are mounted from, beside trees: maps, where this machine can mount them. */
export const OTHER_FORMS = whyNoMaps === undefined ? 'maps' : 'auto';
