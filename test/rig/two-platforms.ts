import { inject } from 'vitest';
import { BASE_CONFIG, busyboxRoot } from './base-images.ts';
import { packTar } from './pack-tar.ts';
import { pushByHand, pushIndexByHand } from './push-image.ts';
import type { World } from './world.ts';

export const OWN = process.arch === 'x64' ? 'amd64' : process.arch;
/** An architecture that no machine which runs these tests has an emulator for. */
export const OTHER = 's390x';
export const BOTH = `linux/${OWN},linux/${OTHER}`;

/** Compiles on this machine for each platform, onto the image of that. */
export const DOCKERFILE = `FROM --platform=$BUILDPLATFORM each AS tools
RUN echo tools > /tools
FROM --platform=$BUILDPLATFORM each AS build
ARG TARGETARCH
COPY --from=tools /tools /tools
RUN cat /tools && echo "for $TARGETARCH" > /made
FROM each
ARG TARGETPLATFORM
ENV FOR=$TARGETPLATFORM
COPY --from=build /made /out/
`;

/** Puts the image `each` into the registry: one for this machine, one for another. */
export async function pushEach(): Promise<void> {
  const host = inject('registry');
  const entries = [];
  for (const architecture of [OWN, OTHER]) {
    const platform = { os: 'linux', architecture };
    const which = await packTar([
      { name: 'which', type: 'file', content: architecture },
      { name: 'same', type: 'link', linkname: 'which' },
    ]);
    const image = { layers: [await busyboxRoot(), which], config: BASE_CONFIG, platform };
    entries.push({ ...(await pushByHand(host, `library/each:${architecture}`, image)), platform });
  }
  await pushIndexByHand(host, 'library/each:latest', entries);
}

/** What a build prints, without what differs from one to the next. */
export function withoutFacts(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{64}/g, 'HEX')
    .replaceAll(new RegExp(OWN, 'g'), 'OWN')
    .replaceAll(/\(\d[\d.]* [kM]?B\)/g, '(SIZE)')
    .replaceAll(/\d+\.\d s\b/g, 'T s')
    .replaceAll(/\d+\.\d{3} /g, 'T ');
}

/** Builds for both. @returns what it told */
export async function buildBoth(world: World, ...args: readonly string[]): Promise<string> {
  return (await world.ok(['build', '--progress', 'plain', '--platform', BOTH, ...args, '.'])).stderr;
}
