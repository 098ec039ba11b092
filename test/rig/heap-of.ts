import * as z from 'zod/mini';

const answerSchema = z.object({ id: z.number(), result: z.unknown() });
const usageSchema = z.object({ usedSize: z.number(), backingStorageSize: z.number() });

/**
 * What a process of Node has in memory that it may still use, in bytes: of everything else it is rid first.
 * @param inspector what it said when it was started with `--inspect`
 */
export async function heapOf(inspector: string): Promise<number> {
  const socket = new WebSocket(inspector);
  try {
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error(`nobody listens at ${inspector}`)), {
        once: true,
      });
    });
    let last = 0;
    const ask = (method: string): Promise<unknown> => {
      last++;
      const id = last;
      socket.send(JSON.stringify({ id, method }));
      return new Promise((resolve) => {
        const take = ({ data }: MessageEvent): void => {
          const answer = answerSchema.safeParse(JSON.parse(String(data)));
          if (!answer.success || answer.data.id !== id) return;
          socket.removeEventListener('message', take);
          resolve(answer.data.result);
        };
        socket.addEventListener('message', take);
      });
    };
    // What waits to be told that something is gone holds on to more: it goes the next time.
    for (let times = 0; times < 3; times++) await ask('HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize } = usageSchema.parse(await ask('Runtime.getHeapUsage'));
    return usedSize + backingStorageSize;
  } finally {
    socket.close(); // else the process waits for it when it ends
  }
}
