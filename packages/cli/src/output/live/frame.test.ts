import type { BuildEvent } from '@caisson/builder';
import { digestOf } from '@caisson/oci';
import { array, assert, constantFrom, integer, oneof, property, string } from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { started, stepInfo, wrote } from '../testing/events.ts';
import { BuildView } from './build-view.ts';
import { drawFrame } from './frame.ts';
import { Lines } from './lines.ts';
import { themeFor } from './theme.ts';

interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The frame of a build in which all this has happened at its begin, 3 s after that. */
function frame(events: readonly BuildEvent[], { columns, rows }: Size, env = {}, now = 3000): string[] {
  const view = new BuildView(0);
  for (const event of events) view.note(event, 0);
  return drawFrame(view, new Lines(themeFor(env, false), () => columns), rows, now);
}

function planned(count: number): BuildEvent {
  const steps = Array.from({ length: count }, (_, index) => stepInfo(index + 1));
  return { kind: 'planned', target: 'build', steps };
}

function running(count: number, text = ''): BuildEvent[] {
  return [
    planned(count),
    ...Array.from({ length: count }, (_, index) => {
      const step = stepInfo(index + 1, `RUN make part-${index + 1}`);
      return text === '' ? [started(step)] : [started(step), wrote(step, text)];
    }).flat(),
  ];
}

const FILES = {
  files: 41_200,
  allFiles: 100_000,
  done: 512_000_000,
  size: 1_200_000_000,
  duration: 2000,
};
const READ: BuildEvent = { kind: 'read', context: 'the build context', ...FILES };
const FETCH: BuildEvent = {
  kind: 'fetch',
  image: 'registry.example.com/a/rather/long/name:1.2',
  digest: digestOf('layer'),
  received: 1_200_000,
  size: 3_640_000,
};

describe('a frame', () => {
  test('has a bar for what is read, and how far a step is with copying', () => {
    const step = stepInfo(1, 'COPY . /');
    const copying: BuildEvent = { kind: 'step-copying', step, ...FILES };
    expect(frame([planned(1), READ, started(step), copying], { columns: 90, rows: 10 })).toEqual([
      '→ the build context, 100,000 files      ━━━━━━━━────────────  512 MB of 1.20 GB, 102 MB/s',
      '● #1 COPY . /                                                                       3.0 s',
      '  │ 41,200 of 100,000 files, 512 MB of 1.20 GB',
      '  3.0 s, 0 of 1 step',
    ]);
  });

  test('says what is looked through, fetched and compressed, as long as it goes on', () => {
    const digest = digestOf('layer');
    const url = 'https://example.com/a.tgz';
    const repository = 'https://example.com/app.git';
    const events: BuildEvent[] = [
      planned(1),
      { kind: 'walk', context: 'the build context', files: 45_000, duration: 1500 },
      { kind: 'git', repository, phase: 'Receiving objects', done: 4500, total: 5000 },
      { kind: 'download', url, received: 1_000_000, size: 4_000_000 },
      { kind: 'download', url: `${url}?size=unknown`, received: 1_000_000 },
      { kind: 'download', url: `${url}?all`, received: 1_000_000, size: 1_000_000 },
      { kind: 'compress', name: 'app:1', digest, done: 1e9, size: 2e9 },
    ];
    const shown = (now: number): string[] => frame(events, { columns: 80, rows: 12 }, {}, now);
    expect(shown(900)).toMatchInlineSnapshot(`
      [
        "→ looking through the build context                    45,000 files and folders",
        "→ https://example.com/app.git                 receiving objects, 4,500 of 5,000",
        "↓ https://example.com/a.t…  ━━━━━───────────────  1.00 MB of 4.00 MB, 1.11 MB/s",
        "↓ https://example.com/a.tgz?size=unknown                     1.00 MB, 1.11 MB/s",
        "  0.9 s, 0 of 1 step",
      ]
    `);
    expect(shown(1100)).toMatchInlineSnapshot(`
      [
        "↓ https://example.com/a.tgz  ━━━━━───────────────  1.00 MB of 4.00 MB, 909 kB/s",
        "↓ https://example.com/a.tgz?size=unknown                      1.00 MB, 909 kB/s",
        "→ compressing app:1          ━━━━━━━━━━──────────  1.00 GB of 2.00 GB, 909 MB/s",
        "  1.1 s, 0 of 1 step",
      ]
    `);
  });

  test('of many steps has some, with a number of the others', () => {
    expect(frame(running(120, 'compiling\n'), { columns: 50, rows: 8 })).toEqual([
      '● #1 RUN make part-1                        3.0 s',
      '● #2 RUN make part-2                        3.0 s',
      '● #3 RUN make part-3                        3.0 s',
      '● #4 RUN make part-4                        3.0 s',
      '● #5 RUN make part-5                        3.0 s',
      '  and 115 steps more',
      '  3.0 s, 0 of 120 steps',
    ]);
  });

  test('on a very low and narrow terminal has what counts most', () => {
    const events = [...running(3, 'compiling\n'), FETCH];
    expect(frame(events, { columns: 20, rows: 5 })).toEqual([
      '↓ registry.example…',
      '● RUN make …  3.0 s',
      '  and 2 steps more',
      '  3.0 s, 0 of 3 st…',
    ]);
    expect(frame(events, { columns: 20, rows: 3 })).toEqual(['  and 3 steps more', '  3.0 s, 0 of 3 st…']);
    expect(frame(events, { columns: 20, rows: 2 })).toEqual([]);
  });

  test('on the console of Linux is drawn with what that has', () => {
    expect(
      frame([...running(1, 'compiling\n'), FETCH, READ], { columns: 80, rows: 9 }, { TERM: 'linux' }),
    ).toEqual([
      '= the build context, 100,00…  ########------------  512 MB of 1.20 GB, 102 MB/s',
      '< registry.example.com/a/r…  ######--------------  1.20 MB of 3.64 MB, 400 kB/s',
      '* #1 RUN make part-1                                                      3.0 s',
      '  | compiling',
      '  3.0 s, 0 of 1 step',
    ]);
  });

  test('fits every terminal, whatever is written', () => {
    const texts = [
      'x'.repeat(300),
      '你好'.repeat(60),
      '👩‍💻👍🏽🇩🇪'.repeat(40),
      'e\u0301'.repeat(100),
      'a\tb\t'.repeat(30),
      '\u200b\u00ad'.repeat(50),
    ];
    const word = oneof(constantFrom(...texts), string({ unit: 'grapheme' }));
    assert(
      property(
        integer({ min: 10, max: 250 }),
        integer({ min: 1, max: 60 }),
        array(word, { maxLength: 30 }),
        (columns, rows, words) => {
          const steps = words.flatMap((text, index) => {
            const step = stepInfo(index + 1, `RUN ${text}`, `${text.slice(0, 20)} 1/2`);
            return [started(step), wrote(step, `${text}\n${text}`)];
          });
          const lines = frame([planned(words.length), FETCH, READ, ...steps], { columns, rows });
          expect(lines.length).toBeLessThan(Math.max(rows, 2));
          for (const line of lines) expect(stringWidth(line)).toBeLessThan(Math.max(columns, 2));
        },
      ),
    );
  });
});
