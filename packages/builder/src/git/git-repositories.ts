import type { Session } from '@caisson/store';
import type { ReadSecret } from '../copy/http-credentials.ts';
import { checkOut } from './checkout.ts';
import type { SshAgents } from '../ssh-agents.ts';
import { gitHeader } from './git-auth.ts';
import type { GitAccess } from './git-program.ts';
import type { GitReference } from './git-reference.ts';
import { resolveCommit, type GitCommit } from './git-remote.ts';

/** The git repositories that a build takes files from: each commit asked for, and each checkout made, once. */
export class GitRepositories {
  readonly #session: Session;
  readonly #secret: ReadSecret;
  readonly #agents: SshAgents;
  readonly #commits = new Map<string, Promise<GitCommit>>();
  readonly #checkouts = new Map<string, Promise<string>>();

  /**
   * @param secret where credentials for http come from
   * @param agents where keys for ssh are
   */
  constructor(session: Session, secret: ReadSecret, agents: SshAgents) {
    this.#session = session;
    this.#secret = secret;
    this.#agents = agents;
  }

  /** What a reference means now. @throws BuildError `missing-source`, `bad-checksum`, `fetch-failed` */
  commit(reference: GitReference, signal: AbortSignal): Promise<GitCommit> {
    const { remote, ref = '', commit = '' } = reference;
    const key = JSON.stringify([remote, ref, commit]);
    const known = this.#commits.get(key) ?? this.#resolve(reference, signal);
    this.#commits.set(key, known);
    return known;
  }

  /**
   * Checks out what a reference means, in a folder of this build's.
   * @returns the folder that it names
   * @throws BuildError `missing-source`, `bad-checksum`, `fetch-failed`
   */
  checkOut(reference: GitReference, keepsGitFolder: boolean, signal: AbortSignal): Promise<string> {
    const key = JSON.stringify([reference, keepsGitFolder]);
    const known = this.#checkouts.get(key) ?? this.#checkOut(reference, keepsGitFolder, signal);
    this.#checkouts.set(key, known);
    return known;
  }

  async #access(reference: GitReference): Promise<GitAccess> {
    const isWeb = /^(?:https?|git):/.test(reference.remote);
    return {
      header: await gitHeader(reference, this.#secret),
      agent: isWeb ? undefined : await this.#agents.open('default'),
    };
  }

  async #resolve(reference: GitReference, signal: AbortSignal): Promise<GitCommit> {
    return resolveCommit(reference, await this.#access(reference), signal);
  }

  async #checkOut(reference: GitReference, keepsGitFolder: boolean, signal: AbortSignal): Promise<string> {
    const access = await this.#access(reference);
    const commit = await this.commit(reference, signal);
    const folder = this.#session.newPath('git');
    return checkOut(reference, commit, folder, { keepsGitFolder, access, signal });
  }
}
