import * as fc from 'fast-check';
import {
  anyFile,
  anyIgnored,
  anyLine,
  CONTENTS,
  MODES,
  PATHS,
  quickLine,
  seenLine,
  SHOWN,
} from './any-project.ts';
import type { ContextFile, Line, Project, Stage } from './project.ts';

/** What somebody changes between two builds. */
export type Edit =
  | { readonly kind: 'put'; readonly path: string; readonly file: ContextFile }
  /** With the size and the time of change that the file had, where the size allows it. */
  | { readonly kind: 'write'; readonly path: string; readonly content: string; readonly keepsTime: boolean }
  | { readonly kind: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'ignore'; readonly lines: readonly string[] }
  | { readonly kind: 'arg'; readonly name: string; readonly value: string }
  | { readonly kind: 'base'; readonly base: Project['base'] }
  | {
      readonly kind: 'line';
      readonly change: LineChange;
      readonly stage: number;
      readonly at: number;
      readonly line: Line;
    }
  /** What no build may see. */
  | { readonly kind: 'touch' | 'chown' | 'copy-over'; readonly path: string };

type LineChange = 'replace' | 'insert' | 'remove' | 'swap';

const path = fc.constantFrom(...PATHS);

const arg: fc.Arbitrary<Edit> = fc.record(
  {
    kind: fc.constant('arg' as const),
    name: fc.constantFrom('A', 'B'),
    value: fc.constantFrom('1', 'given'),
  },
  SHOWN,
);

/** Any edit. */
export const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record(
      {
        kind: fc.constant('write' as const),
        path,
        content: fc.constantFrom(...CONTENTS),
        keepsTime: fc.boolean(),
      },
      SHOWN,
    ),
  },
  fc.record({ kind: fc.constant('put' as const), path, file: anyFile }, SHOWN),
  fc.record({ kind: fc.constant('chmod' as const), path, mode: fc.constantFrom(...MODES) }, SHOWN),
  fc.record({ kind: fc.constant('rename' as const), path, to: path }, SHOWN),
  fc.record({ kind: fc.constant('remove' as const), path }, SHOWN),
  fc.record({ kind: fc.constant('ignore' as const), lines: anyIgnored }, SHOWN),
  { weight: 2, arbitrary: arg },
  fc.record(
    { kind: fc.constant('base' as const), base: fc.constantFrom('one' as const, 'two' as const) },
    SHOWN,
  ),
  {
    weight: 3,
    arbitrary: fc.record(
      {
        kind: fc.constant('line' as const),
        change: fc.constantFrom('replace' as const, 'insert' as const, 'remove' as const, 'swap' as const),
        stage: fc.nat(2),
        at: fc.nat(4),
        line: fc.oneof({ weight: 4, arbitrary: quickLine }, { weight: 1, arbitrary: anyLine }),
      },
      SHOWN,
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('touch' as const, 'chown', 'copy-over'), path }, SHOWN),
  },
);

/** An edit of what a RUN sees besides files: an argument, or an instruction at the beginning of a stage. */
export const seenEdit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 1, arbitrary: arg },
  {
    weight: 4,
    arbitrary: fc.record(
      {
        kind: fc.constant('line' as const),
        change: fc.constantFrom('replace' as const, 'insert' as const),
        stage: fc.nat(3),
        at: fc.constant(0),
        line: seenLine,
      },
      SHOWN,
    ),
  },
);

/** A project after an edit. What an edit speaks of and is not there stays as it is. */
export function edited(project: Project, edit: Edit): Project {
  const { files, stages, buildArgs } = project;
  switch (edit.kind) {
    case 'put':
      return { ...project, files: new Map([...files, [edit.path, edit.file]]) };
    case 'write':
    case 'chmod': {
      const file = files.get(edit.path);
      if (file?.type !== 'file') return project;
      const now = edit.kind === 'write' ? { content: edit.content } : { mode: edit.mode };
      return { ...project, files: new Map([...files, [edit.path, { ...file, ...now }]]) };
    }
    case 'rename': {
      const file = files.get(edit.path);
      if (file === undefined) return project;
      const others = [...files].filter(([each]) => each !== edit.path);
      return { ...project, files: new Map([...others, [edit.to, file]]) };
    }
    case 'remove':
      return { ...project, files: new Map([...files].filter(([each]) => each !== edit.path)) };
    case 'ignore':
      return { ...project, ignored: edit.lines };
    case 'arg':
      return { ...project, buildArgs: { ...buildArgs, [edit.name]: edit.value } };
    case 'base':
      return { ...project, base: edit.base };
    case 'line':
      return {
        ...project,
        stages: stages.map((stage, index) =>
          index === edit.stage % stages.length ? withLine(stage, edit) : stage,
        ),
      };
    case 'touch':
    case 'chown':
    case 'copy-over':
      return project;
  }
}

function withLine(stage: Stage, { change, at, line }: Extract<Edit, { kind: 'line' }>): Stage {
  const lines = [...stage.lines];
  const index = lines.length === 0 ? 0 : at % lines.length;
  const there = lines[index];
  if (change === 'insert' || there === undefined) lines.splice(index, 0, line);
  else if (change === 'replace') lines[index] = line;
  else lines.splice(index, 1);
  if (change === 'swap' && there !== undefined) lines.splice(index + 1, 0, there);
  return { ...stage, lines };
}
