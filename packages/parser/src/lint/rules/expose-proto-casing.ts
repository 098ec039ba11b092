import { exposedPorts } from '../exposed-ports.ts';
import type { Rule } from '../rule.ts';

export const EXPOSE_PROTO_CASING: Rule = {
  description: 'Protocol in EXPOSE instruction should be lowercase',
  why: 'The image has its ports with the protocol in lower case, whatever the Dockerfile says.',
  wrong: 'FROM scratch\nEXPOSE 80/TCP\n',
  right: 'FROM scratch\nEXPOSE 80/tcp\n',
  *check(linted) {
    for (const { text, range } of exposedPorts(linted)) {
      const protocol = text.split('/')[1] ?? '';
      if (protocol === protocol.toLowerCase()) continue;
      yield {
        range,
        message: `Defined protocol '${text}' in EXPOSE instruction should be lowercase`,
        suggestion: text.toLowerCase(),
      };
    }
  },
};
