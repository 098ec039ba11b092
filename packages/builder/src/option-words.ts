/**
 * What messages call the options of a build: a person at the command line has flags, a program the options of the Node API.
 */
export interface OptionWords {
  readonly noCache: string;
  readonly noCacheFilter: (stage: string) => string;
  readonly pullNever: string;
  readonly allowHostNetwork: string;
  readonly hostNetwork: string;
  readonly cacheMaxSize: string;
  /** A name to push to. */
  readonly name: string;
  /** That the store has the image in any case. */
  readonly load: string;
  readonly dockerOutput: string;
  /** What an image is for, one platform. */
  readonly platform: string;
  readonly platformOf: (platform: string) => string;
  /** Where images for several platforms can go. */
  readonly indexOutputs: string;
  readonly secretFile: (id: string) => string;
  /** One that is a variable of the environment. */
  readonly secretVariable: (id: string) => string;
  /** Any way to give a secret. */
  readonly secret: (id: string) => string;
  readonly agentFile: (id: string) => string;
  readonly agent: (id: string) => string;
  readonly defaultAgent: string;
  /** To run a program. */
  readonly command: string;
  readonly pullImage: (name: string) => string;
}

const FLAGS: OptionWords = {
  noCache: '--no-cache',
  noCacheFilter: (stage) => `--no-cache-filter ${stage}`,
  pullNever: '--pull=never',
  allowHostNetwork: '--allow network.host',
  hostNetwork: '--network host',
  cacheMaxSize: '--cache-max-size',
  name: '-t REGISTRY/NAME[:TAG]',
  load: '--load (-o type=image)',
  dockerOutput: '-o type=docker',
  platform: '--platform OS/ARCHITECTURE',
  platformOf: (platform) => `--platform ${platform}`,
  indexOutputs: '--push, or -o with type=oci, type=tar or type=local',
  secretFile: (id) => `--secret id=${id},src=FILE`,
  secretVariable: (id) => `--secret id=${id},env=NAME`,
  secret: (id) => `--secret id=${id},src=FILE or --secret id=${id},env=NAME`,
  agentFile: (id) => `--ssh ${id}=SOCKET or --ssh ${id}=KEY`,
  agent: (id) => `--ssh ${id}, --ssh ${id}=SOCKET or --ssh ${id}=KEY`,
  defaultAgent: '--ssh default',
  command: 'caisson run IMAGE COMMAND',
  pullImage: (name) => `caisson pull ${name}`,
};

const OPTIONS: OptionWords = {
  noCache: 'noCache: true',
  noCacheFilter: (stage) => `noCacheFilter: [${quoted(stage)}]`,
  pullNever: "pull: 'never'",
  allowHostNetwork: "allow: ['network.host']",
  hostNetwork: "network: 'host'",
  cacheMaxSize: 'cacheMaxSize',
  name: "tags: 'REGISTRY/NAME[:TAG]'",
  load: 'load: true',
  dockerOutput: "outputs: [{ type: 'docker' }]",
  platform: "platform: 'OS/ARCHITECTURE'",
  platformOf: (platform) => `platform: ${quoted(platform)}`,
  indexOutputs: "push: true, or outputs of the types 'oci', 'tar' and 'local'",
  secretFile: (id) => `secrets: { ${member(id)}: { path: FILE } }`,
  secretVariable: (id) => `secrets: { ${member(id)}: VALUE }`,
  secret: (id) => `secrets: { ${member(id)}: VALUE }`,
  agentFile: (id) => `ssh: { ${member(id)}: SOCKET } or ssh: { ${member(id)}: [KEY] }`,
  agent: (id) => `ssh: { ${member(id)}: SOCKET } or ssh: { ${member(id)}: [KEY] }`,
  defaultAgent: 'ssh: { default: SOCKET }',
  command: 'command: [PROGRAM, ARGUMENT, ...]',
  pullImage: (name) => `store.pull(${quoted(name)})`,
};

let words = FLAGS;

/** What options are called here. */
export function optionWords(): OptionWords {
  return words;
}

/** From now on, for good, options are those of the Node API: the program of its thread says so before anything else. */
export function callOptionsAsInNode(): void {
  words = OPTIONS;
}

function member(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}

function quoted(text: string): string {
  return `'${text}'`;
}
