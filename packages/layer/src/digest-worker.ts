import { closeSync, openSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { Digest } from '@caisson/oci';
import { errorCode } from '@caisson/sys';
import { fsPath } from './byte-path.ts';
import type { DigestMessage, DigestReply, TarToFollow } from './digest-thread.ts';
import { TarDigests } from './tar-digests.ts';

/* The thread that takes the digests of tars which another one writes. */

/** How many tars are remembered: of each step of a watch the last two are of use. */
const MOST = 40;

/** Those of the last tars, the last one last. */
const remembered = new Map<Digest, TarDigests>();

interface Followed {
  readonly fd: number;
  readonly digests: TarDigests;
}

const followed = new Map<number, Followed>();

parentPort?.on('message', (message: DigestMessage) => {
  const reply = replyTo(message);
  if (reply !== undefined) parentPort?.postMessage(reply);
});

function replyTo(message: DigestMessage): DigestReply | undefined {
  const { number } = message;
  try {
    switch (message.kind) {
      case 'begin':
        followed.set(number, begin(message));
        return undefined;
      case 'written': {
        const tar = followed.get(number);
        if (tar === undefined) return undefined; // it failed
        tar.digests.readTo(tar.fd, message.end);
        return message.isAll ? { number, kind: 'done', digest: finish(number, tar) } : undefined;
      }
      case 'given-up':
        close(number);
        return { number, kind: 'given-up' };
    }
  } catch (error) {
    close(number);
    return { number, kind: 'failed', message: String(error), code: errorCode(error) };
  }
}

function begin({ tar, alike, same }: TarToFollow): Followed {
  const digests = remembered.get(alike);
  return {
    fd: openSync(fsPath(tar), 'r'),
    digests: new TarDigests(digests === undefined ? undefined : { digests, same }),
  };
}

function finish(number: number, { digests }: Followed): Digest {
  close(number);
  const digest = digests.digest();
  remembered.delete(digest);
  remembered.set(digest, digests);
  const [oldest] = remembered.keys();
  if (remembered.size > MOST && oldest !== undefined) remembered.delete(oldest);
  return digest;
}

function close(number: number): void {
  const tar = followed.get(number);
  followed.delete(number);
  if (tar !== undefined) closeSync(tar.fd);
}
