import { canonicalJson, isDigest, isJsonArray, type Digest, type Json } from '@caisson/oci';
import type { KeyRecord } from '../solve/key.ts';
import { stateDigest, type FileState } from '../state.ts';
import { compareSelections, type PartReader } from './compare-selections.ts';
import type { Change, FileChange, StateCause } from '../solve/miss-reason.ts';

/** A key record, read again. */
export type OldRecord = Readonly<Record<string, Json>>;

/** What is known of the step that is explained, besides its key record. */
export interface StepToExplain {
  readonly before: FileState;
  /** What the build is of; undefined where that has no name. */
  readonly context: string | undefined;
  /** What its target is for, where several platforms are built for. */
  readonly platform: string | undefined;
  /** What the things that it selects are called. */
  readonly titles: readonly string[];
  /** The variables that are args. */
  readonly args: ReadonlySet<string>;
  /** The files that its mounts show and that differ, where those were copied for it. */
  readonly mounted: readonly FileChange[];
}

/** What two key records have differently: what says most comes first. */
export function compareRecords(
  before: OldRecord,
  after: KeyRecord,
  step: StepToExplain,
  read: PartReader,
): Change[] {
  const changes: Change[] = [];
  const names = differingFields(before, after);
  for (const field of names) {
    const [old, now] = [before[field], after[field]];
    const files = field === 'selection' ? selectionChanges(old, now, step.titles, read) : undefined;
    if (files !== undefined) changes.push({ kind: 'files', field, files });
    else if (field === 'mounts' && step.mounted.length > 0)
      changes.push({ kind: 'files', field, files: step.mounted });
    else if (field === 'env') changes.push(...variableChanges(old, now, step.args));
    else if (field === 'state') changes.push({ kind: 'state', by: stateCause(old, step.before, read) });
    else changes.push({ kind: 'field', field, before: old, after: now });
  }
  return changes.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

/** What was changed by hand says more than what follows from it. */
const ORDER: readonly Change['kind'][] = ['files', 'variable', 'field', 'state'];

/** The fields of two key records that differ. */
export function differingFields(before: OldRecord, after: OldRecord): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.filter((name) => {
    const [old, now] = [before[name], after[name]];
    if (old === undefined || now === undefined) return true;
    return canonicalJson(old) !== canonicalJson(now);
  });
}

/** How much two key records differ: a field counts once, but each variable of the environment for itself. */
export function distance(before: OldRecord, after: OldRecord): number {
  return differingFields(before, after)
    .map((field) => (field === 'env' ? differingVariables(before[field], after[field]).length || 1 : 1))
    .reduce((sum, each) => sum + each, 0);
}

function selectionChanges(
  old: Json | undefined,
  now: Json | undefined,
  titles: readonly string[],
  read: PartReader,
): FileChange[] | undefined {
  if (typeof old !== 'string' || typeof now !== 'string' || !isDigest(old) || !isDigest(now))
    return undefined;
  const changes = compareSelections(old, now, titles, read);
  return changes?.length === 0 ? undefined : changes;
}

function variableChanges(old: Json | undefined, now: Json | undefined, args: ReadonlySet<string>): Change[] {
  const [before, after] = [variablesOf(old), variablesOf(now)];
  const changed = differingVariables(old, now);
  // The same variables in another order are another environment.
  if (changed.length === 0) return [{ kind: 'field', field: 'env', before: old, after: now }];
  return changed.map((name) => ({
    kind: 'variable',
    name,
    isArg: args.has(name),
    before: before.get(name),
    after: after.get(name),
  }));
}

function differingVariables(old: Json | undefined, now: Json | undefined): string[] {
  const [before, after] = [variablesOf(old), variablesOf(now)];
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}

function variablesOf(env: Json | undefined): Map<string, string> {
  const list: readonly Json[] = isJsonArray(env) ? env : [];
  return new Map(
    list
      .filter((each) => typeof each === 'string')
      .map((each) => {
        const [name = ''] = each.split('=', 1);
        return [name, each.slice(name.length + 1)];
      }),
  );
}

/** The lowest layer that differs, by the step that it comes from. */
function stateCause(old: Json | undefined, { layers }: FileState, read: PartReader): StateCause | undefined {
  if (typeof old !== 'string' || !isDigest(old)) return undefined;
  const contents = contentsOf(old, read);
  if (contents === undefined) return undefined;
  const first = layers.find(({ content }, index) => contents[index] !== content);
  if (first === undefined) return undefined;
  if (first.step === undefined) return { kind: 'base' };
  return { kind: 'step', id: first.step.id, text: first.step.text };
}

/** The contents of the layers of an earlier state, lowest first. */
function contentsOf(state: Digest, read: PartReader): Digest[] | undefined {
  const contents: Digest[] = [];
  for (let at = state; at !== EMPTY;) {
    const part = read(at);
    const [below, content] = isJsonArray(part) ? part : [];
    if (typeof below !== 'string' || typeof content !== 'string') return undefined;
    if (!isDigest(below) || !isDigest(content) || contents.length > MOST_LAYERS) return undefined;
    contents.unshift(content);
    at = below;
  }
  return contents;
}

const EMPTY = stateDigest({ layers: [] });
/** More than any chain has: an imported record may name states in a circle. */
const MOST_LAYERS = 5000;
