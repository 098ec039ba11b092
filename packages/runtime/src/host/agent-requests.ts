import { Transform } from 'node:stream';

/** SSH_AGENTC_REQUEST_IDENTITIES and SSH_AGENTC_SIGN_REQUEST: all that a program needs that logs in somewhere. */
const ALLOWED: ReadonlySet<number | undefined> = new Set([11, 13]);

/** SSH_AGENT_FAILURE */
const FAILURE = Buffer.from([0, 0, 0, 1, 5]);
const MAX_REQUEST = 256 * 1024;

/**
 * Passes on the requests to an ssh agent that use its keys. Those that would add, remove or lock keys are answered with a
 * failure: the agent is the user's, and a step may be anybody's.
 * @param refuse takes the answer to what is not passed on
 * @see https://www.rfc-editor.org/rfc/rfc9987
 */
export function agentRequests(refuse: (answer: Buffer) => void): Transform {
  let rest = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4) {
        const length = rest.readUInt32BE(0);
        if (length === 0 || length > MAX_REQUEST) {
          done(new Error('a request to the ssh agent has no sensible length'));
          return;
        }
        if (rest.length < 4 + length) break;
        const request = rest.subarray(0, 4 + length);
        rest = rest.subarray(4 + length);
        if (ALLOWED.has(request[4])) this.push(request);
        else refuse(FAILURE);
      }
      done();
    },
  });
}
