import { defineConfig } from 'oxlint';

/**
 * Who may import whom: docs/architecture.md, "Packages". Imports go down only. This is the only place where the
 * table is kept; test/unit/import-table.test.ts plants a violation of each kind and sees it found.
 */
export const allowedImports: Readonly<Record<string, readonly string[]>> = {
  oci: [],
  sys: [],
  parser: [],
  layer: ['oci', 'sys'],
  store: ['oci', 'sys'],
  registry: ['oci', 'store'],
  runtime: ['oci', 'sys', 'layer'],
  builder: ['oci', 'sys', 'parser', 'layer', 'store', 'registry', 'runtime'],
  cli: ['oci', 'parser', 'store', 'registry', 'runtime', 'builder'],
};

const packages = Object.keys(allowedImports);
const packageName = (folder: string): string => (folder === 'cli' ? 'caisson' : `@caisson/${folder}`);

/** Libraries that one package wraps for all others. */
const wrapped: Readonly<Record<string, string>> = {
  koffi: 'sys',
  'dockerfile-ast': 'parser',
  undici: 'registry',
};

/** Folders inside the builder that must not know of one another: solve/ owns Op, which steps/ implement. */
const innerBoundaries: readonly {
  readonly files: string;
  readonly group: string[];
  readonly message: string;
}[] = [
  {
    files: 'packages/builder/src/solve/**/*.ts',
    group: [
      '../steps/*',
      '../explain/*',
      '../plan/*',
      '../image/*',
      '../outputs/*',
      '../context/*',
      '../copy/*',
      '../snapshot/*',
      '../cache/*',
      '../bases/*',
      '../watch/*',
      '../report/*',
      '../*.ts',
    ],
    message: 'The solver knows nothing of Dockerfiles, images and containers: it sees Op.',
  },
  {
    files: 'packages/builder/src/outputs/**/*.ts',
    group: ['../solve/*', '../steps/*', '../plan/*'],
    message: 'An output gets a finished image and knows nothing of how it was made.',
  },
];

const importsOfEach = packages.map((name) => {
  const forbidden = packages.filter(
    (other) => other !== name && !(allowedImports[name] ?? []).includes(other),
  );
  return {
    files: [`packages/${name}/**/*.ts`],
    rules: { 'no-restricted-imports': importRule(name, forbidden, []) },
  };
});

const importsInside = innerBoundaries.map(({ files, group, message }) => ({
  files: [files],
  rules: { 'no-restricted-imports': importRule('builder', ['cli'], [{ group, message }]) },
}));

interface ImportPattern {
  readonly group?: string[];
  readonly regex?: string;
  readonly message: string;
}

function importRule(
  name: string,
  forbidden: readonly string[],
  inner: readonly ImportPattern[],
): ['error', { paths: { name: string; message: string }[]; patterns: ImportPattern[] }] {
  const table = 'see allowedImports in oxlint.config.ts';
  return [
    'error',
    {
      paths: [
        ...forbidden.flatMap((other) =>
          ['', '/errors', '/find-program'].map((below) => ({
            name: `${packageName(other)}${below}`,
            message: `packages/${name} may not import packages/${other}: ${table}.`,
          })),
        ),
        ...Object.entries(wrapped)
          .filter(([, owner]) => owner !== name)
          .map(([library, owner]) => ({
            name: library,
            message: `Only packages/${owner} may import ${library}.`,
          })),
      ],
      patterns: [
        {
          // What stands in package.json beside the index: docs/decisions/0013.
          group: [
            '@caisson/*/**',
            '!@caisson/registry/errors',
            '!@caisson/runtime/find-program',
            '!@caisson/sys/find-program',
          ],
          message: 'Import a package by its name: its index is its API.',
        },
        {
          regex: `^(\\.\\./)+(packages/)?(${packages.filter((p) => p !== name).join('|')})/src`,
          message: 'Import another package by its name: its index is its API.',
        },
        ...inner,
      ],
    },
  ];
}

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise', 'node', 'vitest'],
  options: { typeAware: true, reportUnusedDisableDirectives: 'error' },
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  rules: {
    'no-await-in-loop': 'off', // order is often the point
    'no-underscore-dangle': 'off',
    'oxc/no-map-spread': 'off', // values are not changed in place here
    'no-shadow': 'error',
    'no-unused-vars': 'error',
    'no-control-regex': 'off', // control characters in hostile input are what we look for
    eqeqeq: 'error',
    'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
    'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'typescript/consistent-return': 'off', // noImplicitReturns knows exhaustive switches
    'typescript/consistent-type-imports': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-misused-spread': ['error', { allow: ['string'] }], // code points are what is meant
    'typescript/no-non-null-assertion': 'error',
    'typescript/no-unsafe-argument': 'error',
    'typescript/no-unsafe-assignment': 'error',
    'typescript/no-unsafe-call': 'error',
    'typescript/no-unsafe-member-access': 'error',
    'typescript/no-unsafe-return': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/switch-exhaustiveness-check': [
      'error',
      { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
    ],
    'unicorn/no-array-sort': 'error',
    'unicorn/require-post-message-target-origin': 'off', // that of windows, not of threads
    'vitest/require-to-throw-message': 'off',
    'vitest/no-conditional-tests': 'off',
    'vitest/no-conditional-expect': 'off', // cases of fixtures say as much as they want to say
    'vitest/no-standalone-expect': 'off', // it does not know tests with fixtures
  },
  ignorePatterns: ['**/dist/**', 'fixtures/**', 'node_modules/**', '.caisson/**'],
  overrides: [
    ...importsOfEach,
    ...importsInside,
    {
      // Plain JavaScript: no types are known of it.
      files: ['packages/cli/bin/*.js'],
      rules: {
        'typescript/no-unsafe-argument': 'off',
        'typescript/no-unsafe-assignment': 'off',
        'typescript/no-unsafe-call': 'off',
        'typescript/no-unsafe-member-access': 'off',
        'typescript/no-unsafe-return': 'off',
      },
    },
    {
      files: ['**/*.test.ts', 'test/**/*.ts', 'scripts/**', '*.config.ts'],
      rules: { 'max-lines-per-function': 'off', 'import/no-default-export': 'off' },
    },
  ],
});
