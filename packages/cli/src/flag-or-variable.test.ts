import { describe, expect, test, vi } from 'vitest';
import { runProgram } from './program.ts';
import { flagOrVariable } from './flag-or-variable.ts';

function given(value: string | undefined, variable?: string): ReturnType<typeof flagOrVariable> {
  return flagOrVariable('--flag', value, 'VARIABLE', { env: { VARIABLE: variable } });
}

describe('a flag or a variable', () => {
  test('the flag counts first, also where it is empty; an empty variable is none', () => {
    expect(given('a', 'b')).toEqual({ by: '--flag', value: 'a' });
    expect(given('', 'b')).toEqual({ by: '--flag', value: '' });
    expect(given(undefined, 'b')).toEqual({ by: 'VARIABLE', value: 'b' });
    expect(given(undefined, '')).toBeUndefined();
    expect(given(undefined)).toBeUndefined();
  });

  test.each([
    ['CAISSON_RUNTIME', 'crum', 'expected: crun, runc, namespaces, chroot\n  did you mean crun?'],
    ['CAISSON_MIN_ISOLATION', 'namespace', 'expected: oci, namespaces, chroot\n  did you mean namespaces?'],
    ['CAISSON_CONTEXT_MODES', 'norml', 'expected: exact, normal\n  did you mean normal?'],
    ['CAISSON_PROGRESS', 'plan', 'expected: auto, tty, plain, rawjson, quiet\n  did you mean plain?'],
  ])('an error names %s where that is wrong', async (variable, value, more) => {
    vi.spyOn(process, 'getuid').mockReturnValue(0);
    let text = '';
    const write = (said: string): void => {
      text += said;
    };
    const terminal = {
      env: { [variable]: value },
      cwd: '/nowhere',
      out: write,
      error: write,
      hasColor: false,
      isInteractive: false,
      drained: () => Promise.resolve(),
      screen: undefined,
    };
    expect(await runProgram(['build', '.'], terminal)).toBe(2);
    expect(text).toBe(
      `error[usage]: ${variable} "${value}" is not known\n  ${more}\n  see caisson build --help\n`,
    );
  });
});
