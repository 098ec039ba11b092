import { rm } from 'node:fs/promises';
import type { Session, Store } from '@caisson/store';
import type { ReadSecret } from '../copy/http-credentials.ts';
import { bringCommit } from './bring-commit.ts';
import { completeCheckout, layOut, type CheckoutOptions } from './checkout.ts';
import { withoutCredentials } from '../without-credentials.ts';
import type { SshAgents } from '../ssh-agents.ts';
import { gitHeader } from './git-auth.ts';
import type { GitProgress } from './git-progress.ts';
import { GitError, type GitAccess } from './git-program.ts';
import type { GitReference } from './git-reference.ts';
import { fetchFailed, resolveCommit, type GitCommit } from './git-remote.ts';
import { makeBare, openKept, type KeptRepository } from './kept-repository.ts';
import { Once } from '../once.ts';

/**
 * The git repositories that a build takes files from: each commit asked for, and each checkout made, once. What was
 * fetched is kept in the store for later builds.
 */
export class GitRepositories implements AsyncDisposable {
  readonly #store: Store;
  readonly #session: Session;
  readonly #secret: ReadSecret;
  readonly #agents: SshAgents;
  readonly #onFar: (far: GitProgress) => void;
  readonly #commits = new Once<string, Promise<GitCommit>>();
  readonly #checkouts = new Once<string, Promise<string>>();

  /**
   * @param secret where credentials for http come from
   * @param agents where keys for ssh are
   * @param onFar told how far a repository is that is fetched
   */
  constructor(
    store: Store,
    session: Session,
    secret: ReadSecret,
    agents: SshAgents,
    onFar: (far: GitProgress) => void,
  ) {
    this.#onFar = onFar;
    this.#store = store;
    this.#session = session;
    this.#secret = secret;
    this.#agents = agents;
  }

  /** What a reference means now. @throws BuildError `missing-source`, `bad-checksum`, `fetch-failed` */
  commit(reference: GitReference, signal: AbortSignal): Promise<GitCommit> {
    const { remote, ref = '', commit = '' } = reference;
    const key = JSON.stringify([remote, ref, commit]);
    return this.#commits.get(key, () => this.#resolve(reference, signal));
  }

  /**
   * Checks out what a reference means, in a folder of this build's.
   * @returns the folder that it names
   * @throws BuildError `missing-source`, `bad-checksum`, `fetch-failed`
   */
  checkOut(reference: GitReference, keepsGitFolder: boolean, signal: AbortSignal): Promise<string> {
    const key = JSON.stringify([reference, keepsGitFolder]);
    return this.#checkouts.get(key, () => this.#checkOut(reference, keepsGitFolder, signal));
  }

  /** Waits for what was begun: its signal must have ended that. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#commits.values(), ...this.#checkouts.values()]);
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
    const repository = withoutCredentials(reference.remote);
    const onFar = (far: Omit<GitProgress, 'repository'>): void => this.#onFar({ repository, ...far });
    const options = { access: await this.#access(reference), signal, onFar };
    const commit = await this.commit(reference, signal);
    try {
      // Nobody may remove what is kept while a checkout sees its objects.
      using kept = await openKept(reference.remote, this.#store, this.#session, options);
      const folder = await this.#layOut(reference, commit, kept, options);
      return await completeCheckout(reference, commit, folder, keepsGitFolder, options);
    } catch (error) {
      throw fetchFailed(reference, error);
    }
  }

  async #layOut(
    reference: GitReference,
    commit: GitCommit,
    kept: KeptRepository,
    options: CheckoutOptions,
  ): Promise<string> {
    try {
      return await this.#layOutFrom(kept.path, reference, commit, options);
    } catch (error) {
      if (kept.isNew || !(error instanceof GitError)) throw error;
    }
    // What is kept may be damaged: where a new repository does better, it is.
    const fresh = this.#session.newPath('git');
    await makeBare(fresh, options);
    const folder = await this.#layOutFrom(fresh, reference, commit, options);
    await rm(kept.path, { recursive: true, force: true });
    return folder;
  }

  async #layOutFrom(
    repository: string,
    reference: GitReference,
    commit: GitCommit,
    options: CheckoutOptions,
  ): Promise<string> {
    await bringCommit(reference, commit, { ...options, cwd: repository });
    const folder = this.#session.newPath('git');
    await layOut(reference, commit, folder, repository, options);
    return folder;
  }
}
