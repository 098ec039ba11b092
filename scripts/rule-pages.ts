import { dockerPage, RULE_NAMES, RULES, type RuleName } from '@caisson/parser';

/** The pages of docs/rules: what each rule of the lint says of itself, by file name. */
export function rulePages(): ReadonlyMap<string, string> {
  return new Map([
    ['README.md', indexPage()],
    ...RULE_NAMES.map((name): [string, string] => [`${name}.md`, pageOf(name)]),
  ]);
}

const MADE = 'Written by `npm run docs` from the rules in `packages/parser/src/lint/rules`.';

function indexPage(): string {
  const rows = RULE_NAMES.map((name) => {
    const { description, isExperimental } = RULES[name];
    const [sentence = ''] = description.split('. ');
    return `| [${name}](${name}.md) | ${sentence}${isExperimental === true ? ' (experimental)' : ''} |`;
  });
  return `# The rules of the lint

${MADE}

\`caisson check\`, \`caisson build --check\` and every build look for these; they are docker's rules. Where we say something else
than docker, [differences.md](../differences.md) says so.

| rule | what it asks for |
| --- | --- |
${rows.join('\n')}

## Settings

| where | what it does |
| --- | --- |
| \`# check=skip=RULE,RULE\` at the top of the file | these rules are skipped; \`skip=all\` means all but the experimental ones |
| \`# check=error=true\` | a build fails where a rule finds something |
| \`# check=experimental=RULE\`, or \`=all\` | experimental rules are on |
| \`# check=skip=all;error=true\` | several parts, at most three, without blanks |
| \`# check=skip=RULE // reason\` right above an instruction | the rule is skipped there; \`experimental\` is possible, \`error\` is not |
| \`--build-arg BUILDKIT_DOCKERFILE_CHECK=skip=RULE\` | takes the place of the directive |
`;
}

function pageOf(name: RuleName): string {
  const { description, why, wrong, right, needsBase, isExperimental } = RULES[name];
  const base =
    needsBase === true
      ? '\nIt looks at the config of the base image: where that cannot be reached, the rule is not checked.\n'
      : '';
  const settings =
    isExperimental === true
      ? `To turn it on: \`# check=experimental=${name}\` at the top of the file, or right above the instruction.`
      : `To skip it: \`# check=skip=${name}\` at the top of the file, or right above the instruction.`;
  return `# ${name}

${description.replace(/\.$/, '')}.

${why}
${base}
Wrong:

\`\`\`dockerfile
${wrong.trimEnd()}
\`\`\`

Right:

\`\`\`dockerfile
${right.trimEnd()}
\`\`\`

${settings}
The same rule of docker: <${dockerPage(name)}>
`;
}
