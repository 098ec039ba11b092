import { expect } from 'vitest';
import type { CaissonOptions } from './caisson.ts';
import type { World } from './world.ts';

/** Builds what must fail. @returns all that it said, without what it told on the way */
export async function failureOf(
  world: World,
  args: readonly string[] = ['build', '.'],
  options: Partial<CaissonOptions> = {},
): Promise<string> {
  const { exitCode, stderr, stdout } = await world.run(args, options);
  expect(stdout).toBe('');
  const said = stderr.slice(Math.max(0, stderr.search(/^(?:error|warning)/m)));
  return `${withoutBuildIds(world, said)}exit code ${exitCode}\n`;
}

/** A text in which paths of logs are the same each time. */
function withoutBuildIds({ store }: World, text: string): string {
  return text.replaceAll(
    new RegExp(`all of it: ${store}/logs/[0-9a-f]{16}/`, 'g'),
    'all of it: STORE/logs/BUILD/',
  );
}
