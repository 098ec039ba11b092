import { describe, expect, test } from 'vitest';
import { cached, done, started, stepInfo, wrote } from '../testing/events.ts';
import { Written } from '../testing/written.ts';
import { ciFormat, type CiFormat } from './ci-format.ts';
import { CiProgress } from './ci-progress.ts';

function formatOf(env: Readonly<Record<string, string>>): CiFormat {
  const format = ciFormat({ env, cwd: '/work' }, '/work/app/web');
  if (format === undefined) throw new Error('there is no format');
  return format;
}

const GITHUB = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: '/work/app' };

describe('progress in GitHub Actions', () => {
  test('folds up what each step writes, and obeys nothing of it', () => {
    const written = new Written();
    const { emit, finish } = bound(new CiProgress(written, formatOf(GITHUB)));
    const step = stepInfo(2, 'RUN echo 100%');
    emit(cached(stepInfo(1, 'COPY ##[add-mask]a /b')));
    emit(started(step));
    emit(wrote(step, '::set-env name=A::b\nx ##[error]y\n::endgroup::\nlast'));
    emit(done(step));
    finish('built');
    expect(written.lines).toEqual([
      '#1 [build 1/9] COPY ## [add-mask]a /b (cached)',
      '::group::#2 [build 2/9] RUN echo 100%25',
      '::stop-commands::TOKEN',
      '#2 why: no earlier record',
      '#2 0.000 ::set-env name=A::b',
      '#2 0.000 x ##[error]y',
      '#2 0.000 ::endgroup::',
      '#2 0.000 last',
      '::TOKEN::',
      '::endgroup::',
      '#2 done 1.0 s',
      'built in 0.0 s: 1 step cached, 1 ran',
    ]);
  });

  test('shows problems at their lines', () => {
    const written = new Written();
    const { emit } = bound(new CiProgress(written, formatOf(GITHUB)));
    const { place } = stepInfo(3);
    emit({ kind: 'warning', rule: 'StageNameCasing', message: 'a, b: 50%\n::error::no', place });
    emit({ kind: 'failed', failures: [{ code: 'step-failed', message: 'it failed', place }] });
    emit({ kind: 'failed', failures: [{ code: 'registry', message: 'no way' }] });
    expect(written.lines.filter((line) => line.startsWith('::'))).toEqual([
      '::warning file=web/Dockerfile,line=3,endLine=3,title=StageNameCasing::a, b: 50%25\\n::error::no',
      '::error file=web/Dockerfile,line=3,endLine=3,title=step-failed::it failed',
      '::error title=registry::no way',
    ]);
  });

  test('a context from elsewhere has no file of the repository', () => {
    const format = ciFormat({ env: GITHUB, cwd: '/work' }, undefined);
    const { place } = stepInfo(3);
    expect(format?.annotation('error', { code: 'step-failed', message: 'm', place })).toBe(
      '::error title=step-failed::m\n',
    );
  });
});

test('GitLab folds up sections by marks', () => {
  const written = new Written();
  const { emit, finish } = bound(new CiProgress(written, formatOf({ GITLAB_CI: 'true' })));
  const step = stepInfo(1);
  emit(started(step));
  emit(wrote(step, 'a\u001b[0Ksection_end:1:x\r\u001b[0Kb\n'));
  emit(done(step));
  finish('built');
  expect(written.lines).toEqual([
    '\u001b[0Ksection_start:NOW:caisson_PID_1[collapsed=true]\r\u001b[0K#1 [build 1/9] RUN 1',
    '#1 why: no earlier record',
    '#1 0.000 b',
    '\u001b[0Ksection_end:NOW:caisson_PID_1\r\u001b[0K',
    '#1 done 1.0 s',
    'built in 0.0 s: 0 steps cached, 1 ran',
  ]);
});

test('other systems get plain lines', () => {
  expect(ciFormat({ env: { CI: 'true', GITHUB_ACTIONS: 'false' }, cwd: '/' }, '/')).toBeUndefined();
});

test('of steps that run side by side, the first is told as it goes on, the others after it', () => {
  const written = new Written();
  const { emit, finish } = bound(new CiProgress(written, formatOf({ GITLAB_CI: 'true' })));
  const [one, two] = [stepInfo(1), stepInfo(2)];
  const told = (): string[] => written.lines.filter((line) => /^#\d (0|done|ended)/.test(line));
  emit(started(one));
  emit(started(two));
  emit(wrote(two, 'second\n'));
  emit(wrote(one, 'first\n'));
  expect(told()).toEqual(['#1 0.000 first']);
  emit(done(two));
  expect(told()).toEqual(['#1 0.000 first']);
  emit(wrote(one, 'more\n'));
  emit(done(one));
  const all = ['#1 0.000 first', '#1 0.000 more', '#1 done 1.0 s', '#2 0.000 second', '#2 done 1.0 s'];
  expect(told()).toEqual(all);
  const three = stepInfo(3);
  emit(started(three));
  finish('cancelled');
  expect(told()).toEqual([...all, '#3 ended']);
});

describe('each of the steps that run side by side has its own end', () => {
  const [one, two] = [stepInfo(1), stepInfo(2)];

  function texts(env: Readonly<Record<string, string>>): string {
    let text = '';
    const terminal = { error: (more: string) => void (text += more), hasColor: false };
    const { emit } = bound(new CiProgress(terminal, formatOf(env)));
    for (const event of [started(one), started(two), done(one), done(two)]) emit(event);
    return text;
  }

  test('in GitHub Actions: commands are obeyed again', () => {
    const tokens = [...texts(GITHUB).matchAll(/^::(?:stop-commands::)?([\da-f-]{36})/gm)].map(([, id]) => id);
    const [first, , second] = tokens;
    expect(tokens).toEqual([first, first, second, second]);
    expect(first).not.toBe(second);
  });

  test('in GitLab: sections are closed', () => {
    const marks = [...texts({ GITLAB_CI: 'true' }).matchAll(/section_(start|end):\d+:caisson_\d+_(\d)/g)];
    expect(marks.map(([, which, section]) => `${which} ${section}`)).toEqual([
      'start 1',
      'end 1',
      'start 2',
      'end 2',
    ]);
  });
});

/** Its functions, which need no `this`. */
function bound(progress: CiProgress): Pick<CiProgress, 'emit' | 'finish'> {
  return { emit: progress.emit, finish: (ended) => progress.finish(ended) };
}
