import type { FailureCode } from '../packages/builder/src/failure.ts';

/** What docs/errors.md says of a code. */
export interface ErrorPage {
  /** What it means: a sentence or two. */
  readonly means: string;
  /** How to mend it. */
  readonly mend: string;
  /** Where it comes from: a case of fixtures/errors, or what is written here. */
  readonly example: { readonly fixture: string } | { readonly text: string };
}

/** Every code has a section; a code without one does not compile. */
export const ERROR_PAGES: Readonly<Record<FailureCode, ErrorPage>> = {
  'empty-file': {
    means: 'The Dockerfile holds no instruction: it is empty, or has comments only.',
    mend: 'Begin with `FROM`. If the file should not be empty, look whether `-f` names the right one.',
    example: { fixture: 'empty-file' },
  },
  'line-too-long': {
    means:
      'A line has more than 65535 bytes. Docker takes no longer ones, so a Dockerfile with one builds nowhere else. This holds for comments and the text of heredocs, too.',
    mend: 'Break the line with continuations, or put the data into a file and `COPY` it.',
    example: { fixture: 'line-too-long' },
  },
  'unknown-instruction': {
    means:
      'A line does not begin with the name of an instruction. Most often the name is misspelt, or the line before should have gone on in this one.',
    mend: 'Correct the name; or end the line above in the escape character, with nothing but blanks behind it.',
    example: { fixture: 'unknown-instruction' },
  },
  'missing-from': {
    means: 'Only `ARG` may stand before the first `FROM`, and each Dockerfile needs one `FROM`.',
    mend: 'Put `FROM image` first. `FROM scratch` begins with nothing.',
    example: { fixture: 'missing-from' },
  },
  'missing-argument': {
    means: 'An instruction lacks what it is about.',
    mend: 'Give what the line `expected` says. An empty variable in a quoted word is no missing argument: the word is there.',
    example: { fixture: 'missing-argument' },
  },
  'too-many-arguments': {
    means: 'An instruction has more words than it takes.',
    mend: 'Take the words away. A name for a stage stands behind `AS`.',
    example: { fixture: 'too-many-arguments' },
  },
  'unknown-flag': {
    means:
      'An instruction has no such flag. What begins with two dashes right behind the name of an instruction is a flag, whatever the instruction.',
    mend: 'Correct the name. Where an argument shall begin with two dashes, write `--` before it: `ENTRYPOINT -- --init`.',
    example: { fixture: 'unknown-flag' },
  },
  'duplicate-flag': {
    means: 'A flag that counts once is given twice. `--mount`, `--device` and `--exclude` may be repeated.',
    mend: 'Keep one of them.',
    example: { fixture: 'duplicate-flag' },
  },
  'invalid-flag': {
    means: 'A flag has no value, or one that it cannot have.',
    mend: 'The value stands behind `=`, without a blank. Flags that are on or off take `true` and `false`.',
    example: { fixture: 'invalid-flag' },
  },
  'invalid-directive': {
    means: 'A parser directive at the top of the file is given twice, or has a value that it cannot have.',
    mend: 'Keep one. `escape` is a backslash or a backtick.',
    example: { fixture: 'invalid-directive' },
  },
  'unsupported-syntax': {
    means:
      'The file asks for a frontend of its own. Caisson has the language of `docker/dockerfile` built in, whatever its version, and runs no frontend images.',
    mend: 'Take the line away if the file is a Dockerfile; `--build-arg BUILDKIT_SYNTAX=dockerfile.v0` does that for one build. Else build it with docker.',
    example: { fixture: 'unsupported-syntax' },
  },
  'invalid-json': {
    means:
      'A list in JSON, the exec form, holds something else than strings; or an instruction that only takes this form has another.',
    mend: 'Put each item in double quotes.',
    example: { fixture: 'invalid-json' },
  },
  'invalid-key-value': {
    means: '`ENV`, `LABEL` and `ARG` take `name=value`. A value with blanks in it stands in quotes.',
    mend: 'Put the value in quotes, or give the name that is missing.',
    example: { fixture: 'invalid-key-value' },
  },
  'invalid-heredoc': {
    means:
      'A heredoc begins with `<<NAME` and ends with a line that holds NAME and nothing else. As with docker, a word `<<` outside of quotes begins one, in arithmetic too, and takes the next word as its name.',
    mend: 'End it; `<<-NAME` lets tabs stand before its lines. Where none is meant, put the word in quotes, or write `$((1<<3))` without blanks.',
    example: { fixture: 'invalid-heredoc' },
  },
  'invalid-value': {
    means:
      'A value cannot be what it is for: a port, a duration, a signal, a mode, an option of `RUN --mount`.',
    mend: 'The line `expected` says what can stand there. Variables were replaced before.',
    example: { fixture: 'invalid-value_after-expansion' },
  },
  'invalid-pattern': {
    means:
      'A line of an ignore file is no pattern: a `[` that is not closed, a range that ends before it begins, a backslash at the end, `!` alone.',
    mend: 'Put a backslash before a character that is meant as it is: `\\[draft\\].txt`.',
    example: {
      text: `error[invalid-pattern]: a "[" of the pattern is not closed
  at .dockerignore:2:1
  1 | node_modules
> 2 | [draft.txt
    | ^^^^^^^^^^
  expected: names with *, ?, [a-z] or **; "!" before a name takes files in again
  see docs/errors.md#invalid-pattern`,
    },
  },
  'invalid-onbuild': {
    means: '`ONBUILD` keeps an instruction for those who build on the image; not every one can be kept.',
    mend: 'Write that instruction in the Dockerfile that builds on this image.',
    example: { fixture: 'invalid-onbuild' },
  },
  'invalid-stage-name': {
    means:
      'The name behind `AS` begins with a letter, and has letters, digits, `_`, `.` and `-`. It takes no variables.',
    mend: 'Choose another name.',
    example: { fixture: 'invalid-stage-name' },
  },
  'unknown-stage': {
    means:
      '`--from` means a stage that comes later, the stage that it stands in, or a number that no stage has.',
    mend: 'Move the stage up, or correct the name. Stages are counted from 0.',
    example: { fixture: 'unknown-stage_later' },
  },
  'invalid-expansion': {
    means:
      'A variable cannot be replaced: a brace or a quote is not closed, an operator is not known, or `${NAME:?message}` found no value.',
    mend: 'Close it; put a backslash before a `$` that is meant as it is; or give the value with `--build-arg`.',
    example: { fixture: 'invalid-expansion' },
  },
  'invalid-base': {
    means:
      'What stands behind `FROM` is no name of an image. Often a variable in it has no value: only an `ARG` before the first `FROM` gives it one.',
    mend: 'Write image names in lower case; give the ARG a default or a value.',
    example: { fixture: 'invalid-base' },
  },
  'not-allowed': {
    means: 'A step asks for a right that the build does not give to its steps.',
    mend: 'Give it, if you trust the Dockerfile: `--allow network.host`.',
    example: { fixture: 'not-allowed' },
  },
  'not-supported': {
    means: 'Caisson does not do this. Nothing is built rather than something else than what was asked for.',
    mend: 'Do without it, or build this image with docker.',
    example: { fixture: 'not-supported' },
  },
  'invalid-request': {
    means:
      'What was asked for makes no sense: a context that is no folder, a file of a secret that is not there, a build context of an unknown kind.',
    mend: 'See `caisson build --help`.',
    example: {
      text: `error[invalid-request]: there is no folder /home/me/ap
  expected: a folder, an archive, the URL of one, or a git repository
  did you mean /home/me/app?
  see docs/errors.md#invalid-request`,
    },
  },
  'no-dockerfile': {
    means:
      'There is no Dockerfile where it was looked for, in the context or where `-f` says; or what is there is too large to be one.',
    mend: 'Name the folder of the context as the last argument, and the Dockerfile with `-f` if it is called otherwise.',
    example: {
      text: `error[no-dockerfile]: there is no Dockerfile in /home/me/app
  hint: the last argument is the folder of the context; -f names a Dockerfile that is called otherwise
  see docs/errors.md#no-dockerfile`,
    },
  },
  'unknown-target': {
    means: '`--target` names a stage that the Dockerfile does not have.',
    mend: 'Choose one of the stages that the message lists.',
    example: { fixture: 'unknown-target' },
  },
  'too-many-steps': {
    means: 'More than 1000 steps depend on one another. Docker stops at 127 layers.',
    mend: 'Let one `RUN` do more: a heredoc holds any number of commands.',
    example: {
      text: `error[too-many-steps]: stage-0 has more than 1000 steps, one on the other
  at Dockerfile:1002:1
  1001 | RUN echo 1000
> 1002 | RUN echo 1001
       | ^^^^^^^^^^^^^
  expected: at most 1000
  hint: one RUN can hold many commands, in a heredoc or with &&
  see docs/errors.md#too-many-steps`,
    },
  },
  'lint-violation': {
    means: 'A rule of the lint found something, and the Dockerfile says `check=error=true`.',
    mend: 'Mend what the warnings before it show; each has a page in [rules](rules/README.md). Or skip the rule.',
    example: {
      text: `error[lint-violation]: lint violation found for rules: StageNameCasing
  at Dockerfile:1:1
> 1 | # check=error=true
    | ^^^^^^^^^^^^^^^^^^
  hint: check=error=true makes errors of warnings
  see docs/errors.md#lint-violation`,
    },
  },
  'missing-source': {
    means: 'What `COPY`, `ADD` or a mount takes is not there; or an ignore file hides it from the build.',
    mend: 'Paths are seen from the root of the context, never from `WORKDIR`. `caisson check-ignore -v PATH` names the rule that hides a file.',
    example: {
      text: `error[missing-source]: secret.txt is left out of the build context by an ignore rule
  at Dockerfile:2:6
  1 | FROM scratch
> 2 | COPY secret.txt /
    |      ^^^^^^^^^^
  hint: .dockerignore line 2: *.txt
  see docs/errors.md#missing-source`,
    },
  },
  'fetch-failed': {
    means: 'A URL or a git repository cannot be fetched.',
    mend: 'The message says what the server said. Credentials come from secrets of the build: `--secret id=HTTP_AUTH_TOKEN_HOST,env=TOKEN`, `--secret id=GIT_AUTH_TOKEN,env=TOKEN`.',
    example: {
      text: `error[fetch-failed]: git is not installed, and a git repository is to be fetched
  hint: apt-get install git
  see docs/errors.md#fetch-failed`,
    },
  },
  'bad-checksum': {
    means: 'What `ADD` fetched is not what `--checksum` says it is.',
    mend: 'If the file was meant to change, take the new checksum from where it is published, not from the message.',
    example: {
      text: `error[bad-checksum]: https://example.com/tool.tar.gz is not what its checksum says: it has sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
  at Dockerfile:2:5
  see docs/errors.md#bad-checksum`,
    },
  },
  'bad-archive': {
    means:
      '`ADD` cannot unpack an archive: it is damaged, or its compression needs a program that is not installed.',
    mend: 'Install the package that the message names, or keep the archive as it is with `ADD --unpack=false`.',
    example: {
      text: `error[bad-archive]: xz is needed to unpack src.tar.xz, and is not installed
  hint: apt-get install xz-utils
  see docs/errors.md#bad-archive`,
    },
  },
  'bad-destination': {
    means:
      '`COPY` or `ADD` cannot write where it should: a file is where a folder must be, or the other way round.',
    mend: 'Choose another destination, or remove in a `RUN` what is in the way.',
    example: {
      text: `error[bad-destination]: cannot copy to non-directory: /file
  see docs/errors.md#bad-destination`,
    },
  },
  'step-failed': {
    means:
      'The command of a `RUN` ended with another exit code than 0. The message shows its last output, and names the file with all of it; `caisson logs` shows that.',
    mend: 'Everything above stays cached: mend the command and build again.',
    example: {
      text: `error[step-failed]: RUN npm test ended with exit code 1
  at Dockerfile:4:1
  3 | COPY . .
> 4 | RUN npm test
    | ^^^^^^^^^^^^
  its last output:
  | 1 test failed
  all of it: /var/lib/caisson/logs/5f0c2e9a7b3d1846/3.log
  see docs/errors.md#step-failed`,
    },
  },
  'step-not-run': {
    means:
      'The command of a `RUN` could not be started: the image knows no such user, or no sandbox can be made on this machine.',
    mend: '`caisson doctor` says what this machine can do and what would mend it.',
    example: {
      text: `error[step-not-run]: the image knows no user "ndaemon"
  at Dockerfile:3:1
  2 | USER ndaemon
> 3 | RUN true
    | ^^^^^^^^
  hint: its users: root, daemon, bin, nobody
  see docs/errors.md#step-not-run`,
    },
  },
  'missing-secret': {
    means: 'A `RUN` needs a secret, or keys of ssh, that the build was not given.',
    mend: 'Give it: `--secret id=NAME,src=FILE` or `--secret id=NAME,env=NAME`.',
    example: {
      text: `error[missing-secret]: the secret "npm" is required and was not given
  see docs/errors.md#missing-secret`,
    },
  },
  'no-such-command': {
    means: 'The image has no such program. In an image without a shell, `RUN command` has none to run it.',
    mend: 'Install the program in a step above, or use the exec form: `RUN ["/program", "argument"]`.',
    example: {
      text: `error[no-such-command]: the image has no /bin/sh
  at Dockerfile:2:1
  1 | FROM scratch
> 2 | RUN true
    | ^^^^^^^^
  hint: an image without a shell needs the exec form: RUN ["/program", "argument"]
  see docs/errors.md#no-such-command`,
    },
  },
  'not-executable': {
    means:
      'What should be run is no program: it lacks the permission, is for another kind of machine, or its interpreter is not in the image.',
    mend: '`COPY --chmod=755`, or look at its first line: a `#!` names a program of the image.',
    example: {
      text: `error[not-executable]: /app/start.sh is not executable
  see docs/errors.md#not-executable`,
    },
  },
  'changed-while-read': {
    means:
      'A file of the context changed, or went away, while it was read; and did so again when its step read the context once more.',
    mend: 'The first time is a warning, and the image has what was there the second time. Build again once nothing writes there; let an ignore file hide what programs keep writing.',
    example: {
      text: `error[changed-while-read]: /app.log changed while it was read, twice
  hint: an ignore file can hide what programs keep writing
  see docs/errors.md#changed-while-read`,
    },
  },
  registry: {
    means: 'A registry did not answer, refused, or answered what is no answer.',
    mend: 'The message says what it said. Credentials are those of `docker login`; mirrors stand in registries.conf.',
    example: {
      text: `error[registry]: cannot reach registry.example.com: the connection was refused
  see docs/errors.md#registry`,
    },
  },
  'bad-image': {
    means: 'An image is not what it says: a digest does not fit, or a layer is no archive.',
    mend: 'Fetch it again; if that does not help, it was pushed broken.',
    example: {
      text: `error[bad-image]: the layer sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae cannot be used: the compressed bytes are damaged: unexpected end of file
  see docs/errors.md#bad-image`,
    },
  },
  'no-such-image': {
    means: 'No image has this name, in the store or in its registry.',
    mend: 'Correct the name. A stage of the same file is named in lower case.',
    example: { fixture: 'no-such-image' },
  },
  store: {
    means: 'The store, the folder that holds images and cache, cannot be used.',
    mend: 'The message says why. `--root` or `CAISSON_ROOT` names another folder. It must belong to the user, and nobody else may write to it: images are made of what lies in it. `caisson store verify` says what is damaged; with `--repair` it mends it.',
    example: {
      text: `error[store]: the store /var/lib/caisson has version 2; this Caisson reads version 1
  hint: use the Caisson that wrote it, or another folder (CAISSON_ROOT)
  see docs/errors.md#store`,
    },
  },
  'no-space': {
    means: 'The disk is full, or an archive is larger unpacked than what is free.',
    mend: '`caisson du` shows what the store takes, `caisson prune` removes what no image needs.',
    example: {
      text: `error[no-space]: cannot write to the store: no space left on the disk
  hint: caisson prune frees what no image needs; caisson du shows what is there
  see docs/errors.md#no-space`,
    },
  },
  output: {
    means:
      'What `-o`, `--iidfile` or `--metadata-file` asks for could not be written. Their folders are looked at before anything is built.',
    mend: 'Make the folder, or choose another.',
    example: {
      text: `error[output]: cannot write the output /no/such/folder/x.tar: its folder does not exist
  see docs/errors.md#output`,
    },
  },
  'no-permission': {
    means: 'The user, or the kernel, does not allow what is needed.',
    mend: '`caisson doctor` says what is missing, and how it can be had.',
    example: {
      text: `error[no-permission]: /srv/app/data cannot be opened: permission denied
  see docs/errors.md#no-permission`,
    },
  },
  'thread-ended': {
    means:
      'Called from Node.js: the thread that works for the process ended before it was done. It had no memory left, or something in the process ended it.',
    mend: 'Try again: the next call starts another thread, and what was done stays cached. The cause of the error says more.',
    example: {
      text: `CaissonError: the thread that works for this process ended: Worker terminated due to reaching memory limit: JS heap out of memory
  code: 'thread-ended'`,
    },
  },
  cancelled: {
    means: 'The build was ended by Ctrl-C, by a signal, or by the program that asked for it.',
    mend: 'Nothing: what was done stays cached.',
    example: {
      text: `error[cancelled]: the build was cancelled
  see docs/errors.md#cancelled`,
    },
  },
};
