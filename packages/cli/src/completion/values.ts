/** Where the values come from that a shell offers. */
export type Source = 'files' | 'folders' | 'images' | 'builds' | 'stages';

/** What is meant by the names in angle brackets of help. Others are anybody's guess: nothing is offered for them. */
const SOURCES: Readonly<Record<string, Source>> = {
  build: 'builds',
  cache: 'files',
  context: 'files',
  file: 'files',
  folder: 'folders',
  id: 'builds',
  image: 'images',
  'name=context': 'folders',
  'name[:tag]': 'images',
  'name[:tag][@digest]': 'images',
  output: 'files',
  path: 'files',
  secret: 'files',
  'source:target[:ro]': 'files',
  stage: 'stages',
  stages: 'stages',
};

/** What is offered for a placeholder of help. */
export function sourceOf(placeholder: string): Source | undefined {
  return SOURCES[placeholder];
}

/** Of the placeholders that stand for several values with commas between them. */
export function isList(placeholder: string): boolean {
  return placeholder === 'stages' || placeholder === 'names';
}

/** The name in the brackets of a flag: of `-f, --file <path>`, `path`. */
export function placeholderOf(flags: string): string {
  return /[<[](.*)[>\]]$/.exec(flags)?.[1] ?? '';
}
