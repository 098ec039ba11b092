/** Something in a random context. */
export type ContextFile =
  | { readonly type: 'file'; readonly content: string; readonly mode: number }
  | { readonly type: 'folder'; readonly mode: number }
  | { readonly type: 'symlink'; readonly target: string }
  /** Another name of a file. */
  | { readonly type: 'link'; readonly to: string };

/** An instruction of a random Dockerfile. */
export type Line =
  | {
      readonly kind: 'copy';
      readonly sources: readonly string[];
      readonly destination: string;
      readonly flags: readonly string[];
      /** An earlier stage, or the base image; the context where it is not given. */
      readonly from: number | 'base' | undefined;
    }
  | { readonly kind: 'run'; readonly command: string; readonly mounts: readonly Mount[] }
  /** Any other. */
  | { readonly kind: 'text'; readonly text: string };

/** A mount of a random RUN. */
export type Mount =
  | { readonly kind: 'bind'; readonly source: string; readonly from: number | 'base' | undefined }
  | { readonly kind: 'other'; readonly text: string };

/** A stage of a random Dockerfile. */
export interface Stage {
  /** The number of an earlier one, or an image. */
  readonly base: number | 'base' | 'scratch';
  readonly lines: readonly Line[];
}

/** Everything that a random build is made from. */
export interface Project {
  readonly files: ReadonlyMap<string, ContextFile>;
  /** Lines of `.dockerignore`. */
  readonly ignored: readonly string[];
  readonly stages: readonly Stage[];
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Which image the name of the base stands for. */
  readonly base: 'one' | 'two';
}

/** The Dockerfile of a project. What refers to a stage that is not there refers to the base image. */
export function dockerfileOf({ stages }: Project): string {
  const lines = stages.flatMap(({ base, lines: own }, index) => {
    const isScratch = stages[typeof base === 'number' ? base : -1] === undefined && base === 'scratch';
    const name = typeof base === 'number' ? stageName(base, index) : base;
    // Nothing can be run where there is no shell.
    const shown = isScratch || isOnScratch(stages, index) ? own.filter(({ kind }) => kind !== 'run') : own;
    return [`FROM ${name} AS s${index}`, ...shown.map((line) => textOf(line, index))];
  });
  return `${lines.join('\n')}\n`;
}

function isOnScratch(stages: readonly Stage[], index: number): boolean {
  const base = stages[index]?.base;
  if (typeof base === 'number') return base < index && isOnScratch(stages, base);
  return base === 'scratch';
}

function stageName(number: number, before: number): string {
  return number < before ? `s${number}` : 'base';
}

function textOf(line: Line, stage: number): string {
  switch (line.kind) {
    case 'copy': {
      const { from, flags, sources, destination } = line;
      const origin = from === undefined ? [] : [`--from=${originName(from, stage)}`];
      return ['COPY', ...origin, ...flags, ...sources, destination].join(' ');
    }
    case 'run':
      return ['RUN', ...line.mounts.map((mount) => mountText(mount, stage)), line.command].join(' ');
    case 'text':
      return line.text;
  }
}

function mountText(mount: Mount, stage: number): string {
  if (mount.kind === 'other') return `--mount=${mount.text}`;
  const from = mount.from === undefined ? '' : `from=${originName(mount.from, stage)},`;
  return `--mount=type=bind,${from}source=${mount.source},target=/m`;
}

function originName(from: number | 'base', stage: number): string {
  return from === 'base' ? 'base' : stageName(from, stage);
}

/** Lines that are of the config alone, or nothing at all. */
const OF_CONFIG = /^(?:LABEL|CMD|EXPOSE|HEALTHCHECK|#)/;

/** All of a project that can matter to what its steps give: where it is the same, nothing needs to run. */
export function whatMatters(project: Project): string {
  const { files, ignored, buildArgs, base } = project;
  const lines = dockerfileOf(project).split('\n');
  const isLinked = [...files.values()].some((file) => file.type === 'link' && file.to.startsWith('out/'));
  const isWhole = isLinked || lines.some((line) => / (?:\.|\*) |source=\//.test(line));
  return JSON.stringify({
    lines: lines.filter((line) => !OF_CONFIG.test(line)),
    files: [...files]
      .filter(([path]) => isWhole || !path.startsWith('out/'))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ignored,
    buildArgs,
    base,
  });
}
