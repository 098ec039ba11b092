import type { Dockerfile, Instruction, Stage } from '../ast.ts';
import { parseTrigger } from '../parse.ts';
import { noteVariables } from './variables.ts';
import type { KnownBase, LintOptions } from './lint-options.ts';
import { Scope, type ScopeSettings } from './scope.ts';

/** An instruction, and what held before it. */
export interface LintedInstruction {
  readonly instruction: Instruction;
  readonly scope: Scope;
}

/** A stage that is linted. */
export interface LintedStage {
  readonly stage: Stage;
  /** The image under it; undefined where that is not known, and for a stage on another stage or on nothing. */
  readonly base: KnownBase | undefined;
  readonly instructions: readonly LintedInstruction[];
}

/** What the rules look at. */
export interface LintedDockerfile {
  readonly dockerfile: Dockerfile;
  /** The stages that the target needs. */
  readonly stages: readonly LintedStage[];
  readonly globalArgs: ReadonlyMap<string, string>;
  readonly globalDefaults: ReadonlyMap<string, string> | undefined;
  readonly ignore: LintOptions['ignore'];
}

/** Goes through the stages once, and notes what holds before each instruction. */
export function gatherForLint(dockerfile: Dockerfile, options: LintOptions): LintedDockerfile {
  const { globalArgs, globalDefaults, ignore } = options;
  const wanted = new Set(options.stages ?? dockerfile.stages);
  const ended = new Map<string, EndedStage>();
  const stages = dockerfile.stages.map((stage): LintedStage => {
    const base = options.bases.get(stage);
    const isReplaced = options.replaced?.has(stage) === true;
    let scope = isReplaced
      ? scopeOn(base, { ...options, escape: dockerfile.escape })
      : scopeAtStart(dockerfile, stage, options, ended);
    const instructions = (isReplaced ? [] : stage.instructions).map((instruction) => {
      const before = scope;
      scope = scope.after(instruction);
      return { instruction, scope: before };
    });
    const triggers = isReplaced ? base?.triggers : instructions.flatMap(triggerOf);
    if (stage.name !== undefined) ended.set(stage.name, { scope, triggers: triggers ?? [] });
    return { stage, base, instructions };
  });
  return {
    dockerfile,
    stages: stages.filter(({ stage }) => wanted.has(stage)),
    globalArgs,
    globalDefaults,
    ignore,
  };
}

/** What a stage leaves to those that build on it. */
interface EndedStage {
  readonly scope: Scope;
  readonly triggers: readonly string[];
}

function triggerOf({ instruction }: LintedInstruction): string[] {
  return instruction.kind === 'onbuild' ? [instruction.trigger] : [];
}

function scopeOn(base: KnownBase | undefined, settings: ScopeSettings): Scope {
  return base === undefined ? Scope.onUnknown(settings) : Scope.onImage(settings, base);
}

/** What holds at the beginning of a stage: what its base leaves, and what that has for those who build on it. */
function scopeAtStart(
  dockerfile: Dockerfile,
  stage: Stage,
  options: LintOptions,
  /** The last one of each name, of those before it. */
  ended: ReadonlyMap<string, EndedStage>,
): Scope {
  const settings = { ...options, escape: dockerfile.escape };
  const name = noteVariables(stage.from.image.text, options.globalArgs, dockerfile.escape).value;
  const parent = name === undefined ? undefined : ended.get(name);
  if (parent !== undefined) return afterTriggers(parent.scope, parent.triggers);
  if (name === 'scratch') return Scope.onNothing(settings);
  const base = options.bases.get(stage);
  return afterTriggers(scopeOn(base, settings), base?.triggers ?? []);
}

function afterTriggers(start: Scope, triggers: readonly string[]): Scope {
  let scope = start;
  for (const trigger of triggers) {
    const { instruction } = parseTrigger(trigger);
    if (instruction !== undefined) scope = scope.after(instruction);
  }
  return scope;
}
