import type { Instruction } from '../ast.ts';
import type { InstructionText } from '../instruction-text.ts';
import { readCmd, readEntrypoint } from './commands.ts';
import { readAdd, readCopy } from './copy.ts';
import { readFrom } from './from.ts';
import { readHealthcheck } from './healthcheck.ts';
import { readArg, readEnv, readLabel } from './key-values.ts';
import { readExpose, readShell, readVolume } from './lists.ts';
import { readOnbuild } from './onbuild.ts';
import { readRun } from './run.ts';
import { readMaintainer, readStopsignal, readUser, readWorkdir } from './values.ts';

/** Reads one instruction, whose name is known; undefined where it reported an error that leaves nothing to build. */
export type InstructionReader<I extends Instruction> = (text: InstructionText) => I | undefined;

/** The reader of each instruction. An instruction without one does not compile. */
export const INSTRUCTION_READERS: {
  readonly [Kind in Instruction['kind'] as Uppercase<Kind>]: InstructionReader<
    Extract<Instruction, { kind: Kind }>
  >;
} = {
  ADD: readAdd,
  ARG: readArg,
  CMD: readCmd,
  COPY: readCopy,
  ENTRYPOINT: readEntrypoint,
  ENV: readEnv,
  EXPOSE: readExpose,
  FROM: readFrom,
  HEALTHCHECK: readHealthcheck,
  LABEL: readLabel,
  MAINTAINER: readMaintainer,
  ONBUILD: readOnbuild,
  RUN: readRun,
  SHELL: readShell,
  STOPSIGNAL: readStopsignal,
  USER: readUser,
  VOLUME: readVolume,
  WORKDIR: readWorkdir,
};

/** The name of an instruction, in upper case. */
export type InstructionName = keyof typeof INSTRUCTION_READERS;

/** Whether a word in upper case names an instruction. */
export function isInstructionName(name: string): name is InstructionName {
  return Object.hasOwn(INSTRUCTION_READERS, name);
}
