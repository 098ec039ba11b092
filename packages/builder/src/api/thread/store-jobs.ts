import { existsSync } from 'node:fs';
import {
  diskUsage,
  entryUsage,
  matchesEntry,
  nameImage,
  prune,
  removeImage,
  type Store,
} from '@caisson/store';
import { newImageName } from '../../images/image-name.ts';
import { pull } from '../../images/pull.ts';
import { push } from '../../images/push.ts';
import type { KeptReport } from '../../report/build-report.ts';
import { keptReason } from '../../report/kept-reason.ts';
import { listReports } from '../../report/read-report.ts';
import { verify } from '../../verify/verify.ts';
import { withSession } from '../../with-session.ts';
import type { PastBuild } from '../past-build.ts';
import type { JobTools } from './do-job.ts';
import type { Outcome, StoreJob } from './protocol.ts';
import { registryOptions } from './registry-options.ts';

/** Does something with a store. @throws StoreError, BuildError, RegistryError */
export async function doStoreJob(job: StoreJob, tools: JobTools): Promise<Outcome> {
  const { signal, questions, emit } = tools;
  const place = { root: job.root, signal };
  switch (job.kind) {
    case 'open':
      await withSession(place, () => Promise.resolve());
      return { kind: 'open' };
    case 'images':
      return { kind: 'images', value: await withSession(place, (store) => store.images.list()) };
    case 'image':
      return { kind: 'image', value: await withSession(place, (store) => store.images.find(job.image)) };
    case 'builds':
      return { kind: 'builds', value: await withSession(place, (store) => pastBuilds(store, job.most)) };
    case 'usage':
      return { kind: 'usage', value: await withSession(place, (store) => diskUsage(store, signal)) };
    case 'entries':
      return { kind: 'entries', value: await withSession(place, (store) => entryUsage(store, signal)) };
    case 'tag': {
      const name = newImageName(job.name);
      await withSession(place, (...opened) => nameImage(...opened, job.image, name));
      return { kind: 'tag' };
    }
    case 'remove': {
      const { image, isForced } = job;
      const removed = await withSession(place, (...opened) => removeImage(...opened, image, isForced));
      return { kind: 'remove', value: removed.names };
    }
    case 'prune': {
      const { kind, root: _root, filter, ...options } = job;
      const matches = matchesEntry(filter);
      const how = { ...options, ...(matches === undefined ? {} : { matches }), signal };
      return { kind, value: await withSession(place, (...opened) => prune(...opened, how)) };
    }
    case 'verify': {
      const { problems, unknown } = await verify({ ...place, isRepair: job.isRepair });
      const plain = problems.map(({ path, message, remedy }) => ({ path, message, remedy }));
      return { kind: 'verify', value: { problems: plain, unknown } };
    }
    case 'pull': {
      const { kind, registry, ...image } = job;
      const request = { ...image, registry: registryOptions(registry, questions), signal };
      return { kind, value: await pull(request, emit) };
    }
    case 'push': {
      const { kind, registry, ...image } = job;
      const request = { ...image, registry: registryOptions(registry, questions), signal };
      return { kind, value: await push(request, emit) };
    }
  }
}

/** How many files of a change are told: many builds are told of at once. */
const MOST_FILES = 20;

async function pastBuilds(store: Store, most: number): Promise<PastBuild[]> {
  return (await listReports(store, most)).map((report) => pastBuild(store, report));
}

function pastBuild({ logs }: Store, { steps, result: _result, ...report }: KeptReport): PastBuild {
  return {
    ...report,
    steps: steps.map(({ record: _record, reason, ...step }) => {
      const log = logs.path(report.id, step.id);
      return {
        ...step,
        ...(reason === undefined ? {} : { reason: keptReason(reason, MOST_FILES) }),
        ...(existsSync(log) ? { log } : {}),
      };
    }),
  };
}
