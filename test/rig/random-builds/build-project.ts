import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildEvent } from '@caisson/builder';
import type { ImageConfig } from '@caisson/oci';
import { flatten } from '../exported-image.ts';
import { dockerfileOf, type Project } from './project.ts';

/** What a build of a project gave. */
export type Built =
  | {
      readonly kind: 'image';
      readonly id: string;
      readonly config: ImageConfig;
      /** The layers' blobs, lowest first. */
      readonly layers: readonly string[];
      /** The steps that ran, and why. */
      readonly ran: readonly string[];
      readonly cached: number;
    }
  | { readonly kind: 'failure'; readonly text: string };

/** Where and how a project is built. */
export interface Site {
  readonly root: string;
  readonly context: string;
  /** A folder for each base. */
  readonly bases: string;
  readonly sourceDateEpoch: number | undefined;
}

/** Builds a project whose files lie in the context. */
export async function buildProject(project: Project, site: Site): Promise<Built> {
  const { root, context, bases, sourceDateEpoch } = site;
  const events: BuildEvent[] = [];
  const built = await build(
    {
      root,
      context,
      cwd: context,
      dockerfileText: dockerfileOf(project),
      buildArgs: project.buildArgs,
      buildContexts: { base: `oci-layout://${join(bases, project.base)}` },
      ...(sourceDateEpoch === undefined ? {} : { sourceDateEpoch }),
    },
    (event) => events.push(event),
  );
  if (!built.ok) {
    // Where a file lies on this machine is no difference.
    return {
      kind: 'failure',
      text: built.error.map(({ code, message }) => `${code}: ${message}`).join('\n'),
    };
  }
  const { imageId, images, steps } = built.value;
  const [{ config }] = images;
  return {
    kind: 'image',
    id: imageId,
    config,
    layers: config.rootfs.diff_ids.map((id) => join(root, 'blobs', id.replace(':', '/'))),
    ran: events.flatMap((event) =>
      event.kind === 'step-started' ? [`${event.step.text} (${JSON.stringify(event.reason)})`] : [],
    ),
    cached: steps.cached,
  };
}

/** Everything of an image but its times. */
export async function withoutTimes(built: Built): Promise<unknown> {
  if (built.kind === 'failure') return built;
  const { history, rootfs: _layers, created: _when, ...config } = built.config;
  const files = await flatten(built.layers.map((path) => readFileSync(path)));
  return {
    config,
    history: history?.map((entry) => ({ ...entry, created: null })),
    layers: built.layers.length,
    files: Object.fromEntries([...files].map(([path, file]) => [path, { ...file, mtime: null }])),
  };
}
