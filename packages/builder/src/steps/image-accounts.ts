import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { bytesOf, fsPath, resolveInRoot, type ChainView, type Content } from '@caisson/layer';
import { MAX_ID, numberOf, parseGroup, parsePasswd } from '@caisson/runtime';
import { buildError } from '../failure.ts';
import type { Chains } from '../snapshot/chains.ts';
import type { FileState } from '../state.ts';
import { kindIn } from './kind-in.ts';

/** Who something belongs to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const MAX_FILE = 10 << 20;

/** How the files of an image are read. */
interface AccountsReading {
  readonly chains: Chains;
  readonly signal: AbortSignal;
}

/** The users and groups of an image, read from its files without mounting it. */
export class ImageAccounts {
  readonly #state: FileState;
  readonly #view: ChainView;
  readonly #reading: AccountsReading;

  constructor(state: FileState, view: ChainView, reading: AccountsReading) {
    this.#state = state;
    this.#view = view;
    this.#reading = reading;
  }

  /**
   * The owner that `--chown` names. A user without a group brings the group that it has; a number alone is also the
   * group's, but with a colon and nothing behind it that is root's. As with docker, a user that the image does not know
   * is root, and a group that it does not know is that of the user; `unknown` tells of them.
   * @param text `user[:group]`
   */
  async ownerOf(text: string): Promise<{ readonly owner: Owner; readonly unknown: readonly string[] }> {
    const [userText = '', ...rest] = text.split(':');
    const groupText = rest.length === 0 ? undefined : rest.join(':');
    this.#checkFiles([userText, groupText ?? '']);
    const user = await this.#user(userText);
    const gid = groupText === undefined ? user?.gid : await this.#group(groupText);
    const unknown = [
      ...(user === undefined ? [`no user ${JSON.stringify(userText)}: root takes its place`] : []),
      ...(groupText !== undefined && gid === undefined
        ? [`no group ${JSON.stringify(groupText)}: the user's own takes its place`]
        : []),
    ];
    return { owner: { uid: user?.uid ?? 0, gid: gid ?? user?.gid ?? 0 }, unknown };
  }

  /** As with docker, names are an error where there is not one layer to look for them in. */
  #checkFiles(names: readonly string[]): void {
    if (this.#state.layers.length > 0) return;
    const name = names.find((each) => !['', 'root'].includes(each) && numericId(each) === undefined);
    if (name === undefined) return;
    throw buildError('bad-destination', `there is no ${JSON.stringify(name)} in an image without files`, {
      hint: 'give a number, or copy first what has /etc/passwd and /etc/group',
    });
  }

  async #user(text: string): Promise<Owner | undefined> {
    const id = numericId(text);
    if (id !== undefined) return { uid: id, gid: id };
    if (text === '' || text === 'root') return { uid: 0, gid: 0 };
    return parsePasswd(await this.#read('/etc/passwd')).find((each) => each.name === text);
  }

  async #group(text: string): Promise<number | undefined> {
    const id = numericId(text);
    if (id !== undefined || text === 'root' || text === '') return id ?? 0;
    return parseGroup(await this.#read('/etc/group')).find((each) => each.name === text)?.gid;
  }

  async #read(path: string): Promise<string> {
    const resolved = resolveInRoot((at) => kindIn(this.#view, at), bytesOf(path), 'follow');
    const found = resolved.ok ? this.#view.lookup(resolved.path) : undefined;
    if (found?.node.type !== 'file' || found.node.size > MAX_FILE) return '';
    return readContent(
      await this.#reading.chains.content(this.#state, found, this.#reading.signal),
      found.node.size,
    );
  }
}

async function readContent(content: Content, size: number): Promise<string> {
  if (content.kind === 'bytes') return Buffer.from(content.bytes).toString('utf8');
  if (content.offset === undefined) return readFileSync(fsPath(content.path), 'utf8');
  const file = await open(fsPath(content.path));
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, content.offset);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}

/** A number that is an id; undefined for a name. */
function numericId(text: string): number | undefined {
  const id = numberOf(text);
  return id !== undefined && id >= 0 && id <= MAX_ID ? id : undefined;
}
