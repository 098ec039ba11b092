import { exposedPorts } from '../exposed-ports.ts';
import type { Rule } from '../rule.ts';

export const EXPOSE_INVALID_FORMAT: Rule = {
  description:
    'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
  why: 'EXPOSE names ports of the container. Which port of the host leads there is said where the container is run (`-p 8080:80`); in EXPOSE it does nothing.',
  wrong: 'FROM scratch\nEXPOSE 127.0.0.1:8080:80\n',
  right: 'FROM scratch\nEXPOSE 80\n',
  *check(linted) {
    for (const { text, range } of exposedPorts(linted)) {
      const port = text.slice(text.lastIndexOf(':') + 1);
      if (!/[^:]/.test(text.slice(0, text.length - port.length))) continue;
      yield {
        range,
        message: `EXPOSE instruction should not define an IP address or host-port mapping, found '${text}'`,
        suggestion: port,
      };
    }
  },
};
