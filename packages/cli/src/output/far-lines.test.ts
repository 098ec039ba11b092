import { digestOf } from '@caisson/oci';
import { expect, test } from 'vitest';
import { FarLines, type FarEvent } from './far-lines.ts';
import { stepInfo } from './testing/events.ts';

/** What is said of events, each at a time in seconds. */
function said(...events: readonly (readonly [at: number, event: FarEvent])[]): string[] {
  let now = 0;
  const lines = new FarLines(() => now);
  return events.flatMap(([at, event]) => {
    now = at * 1000;
    const line = lines.line(event);
    return line === undefined ? [] : [`${at}: ${line}`];
  });
}

const FILES = { allFiles: 100_000, size: 1_200_000_000 };

function read(files: number, duration: number): FarEvent {
  return { kind: 'read', context: 'the build context', ...FILES, files, done: files * 12_000, duration };
}

function copying(id: number, files: number): FarEvent {
  const soFar = { ...FILES, files, done: files * 12_000, duration: 7000 };
  return { kind: 'step-copying', step: stepInfo(id), ...soFar };
}

test('what is read is told every five seconds, and in the end', () => {
  const events = Array.from({ length: 100 }, (_, index) => {
    const at = 1 + index / 10;
    return [at, read(Math.floor(9000 * at), 1000 * at)] as const;
  });
  expect(said(...events, [11.5, read(100_000, 11_500)])).toEqual([
    '6: reading the build context: 54,000 of 100,000 files, 648 MB of 1.20 GB',
    '11.5: read the build context: 100,000 files, 1.20 GB in 11.5 s',
  ]);
});

test('what a step copies is told by its number, each for itself', () => {
  expect(said([1, copying(3, 10)], [4, copying(4, 10)], [6, copying(3, 999)], [8, copying(4, 1000)])).toEqual(
    ['6: #3 copied 999 of 100,000 files, 12.0 MB of 1.20 GB'],
  );
  expect(said([8, copying(3, 100_000)])).toEqual(['8: #3 copied 100,000 files, 1.20 GB in 7.0 s']);
});

function walk(files: number): FarEvent {
  return {
    kind: 'walk',
    context: 'the build context',
    files,
    duration: 0,
  };
}

function download(received: number, all?: number): FarEvent {
  return {
    kind: 'download',
    url: 'https://example.com/a.tgz',
    received,
    ...(all === undefined ? {} : { size: all }),
  };
}

function git(phase: string, done: number): FarEvent {
  return {
    kind: 'git',
    repository: 'https://example.com/app.git',
    phase,
    done,
    total: 5000,
  };
}

test('what is looked through, fetched and compressed is told while it takes long', () => {
  expect(said([1, walk(9000)], [3, walk(20_000)], [6, walk(45_000)])).toEqual([
    '6: looking through the build context: 45,000 files and folders',
  ]);
  expect(said([0, download(1, 2000)], [6, download(1000, 2000)], [7, download(2000, 2000)])).toEqual([
    '6: fetching https://example.com/a.tgz: 1.00 kB of 2.00 kB',
    '7: fetched https://example.com/a.tgz (2.00 kB)',
  ]);
  expect(said([0, download(1)], [6, download(1000)])).toEqual([
    '6: fetching https://example.com/a.tgz: 1.00 kB',
  ]);
  expect(said([0, download(1, 2000)], [1, download(2000, 2000)])).toEqual([]);
  expect(said([0, git('Counting objects', 1)], [5, git('Receiving objects', 4500)])).toEqual([
    '5: fetching https://example.com/app.git: receiving objects, 4,500 of 5,000',
  ]);
  const digest = digestOf('layer');
  const compress = (done: number): FarEvent => ({ kind: 'compress', name: 'app:1', digest, done, size: 2e9 });
  expect(said([0, compress(1)], [5, compress(1e9)], [6, compress(2e9)])).toEqual([
    '5: compressing dac1d7cfa950 for app:1: 1.00 GB of 2.00 GB',
  ]);
});

test('a layer is told once when it is there, and now and then before', () => {
  const digest = digestOf('layer');
  const fetch = (received: number): FarEvent => ({
    kind: 'fetch',
    image: 'alpine',
    digest,
    received,
    size: 2_000_000,
  });
  const send = (sent: number): FarEvent => ({ kind: 'send', name: 'app', digest, sent, size: 2_000_000 });
  expect(said([0, fetch(0)], [1, fetch(2_000_000)], [2, fetch(2_000_000)])).toEqual([
    '1: pulled dac1d7cfa950 of alpine (2.00 MB)',
  ]);
  expect(said([0, fetch(0)], [5, fetch(1000)], [6, fetch(1500)])).toEqual([
    '5: pulling dac1d7cfa950 of alpine: 1.00 kB of 2.00 MB',
  ]);
  expect(said([0, send(0)], [5, send(1000)], [12, send(2_000_000)])).toEqual([
    '5: sending dac1d7cfa950 of app: 1.00 kB of 2.00 MB',
  ]);
});
