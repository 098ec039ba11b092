import type { Work } from '../work.ts';
import { BUILD_WORKS } from './build-works.ts';
import { GROWTH_WORKS } from './growth-works.ts';
import { RUN_COST } from './run-cost.ts';
import { TRANSFER_WORKS } from './transfer-works.ts';
import { WATCH } from './watch.ts';

/** All that is compared. */
export const WORKS: readonly Work[] = [...BUILD_WORKS, ...TRANSFER_WORKS, WATCH, RUN_COST, ...GROWTH_WORKS];
