/** Words by which something goes. */
type Hints = Readonly<Record<string, string>>;

const CONTAINERS = 'a container of caisson run is gone when it ends: there are no others';
const PORTS = "the network is the host's: a port that the program listens on is reached as it is";

/** Commands of docker that there are none of here, and what to do instead. */
const COMMANDS: Hints = {
  bake: 'build() of the Node API builds several things at once: docs/api.md',
  builder:
    'the build runs here: caisson build; caisson prune empties the cache, caisson du shows what is in it',
  buildx: 'the build runs here: caisson build, with --platform for other machines too',
  container: CONTAINERS,
  create: CONTAINERS,
  exec: CONTAINERS,
  export: 'caisson build -o type=tar,dest=FILE writes the files of an image',
  image: 'caisson images, tag, rmi, inspect, history, pull and push',
  import: 'ADD FILE.tar / onto FROM scratch makes an image of an archive',
  info: 'caisson doctor',
  kill: CONTAINERS,
  load: 'images come from registries (caisson pull), or as a build context: --build-context NAME=oci-layout://FOLDER',
  login:
    'credentials are those of docker login, or of skopeo login --authfile ~/.docker/config.json REGISTRY',
  logout: 'credentials are those of docker login, in ~/.docker/config.json',
  ls: 'caisson images',
  ps: CONTAINERS,
  rm: `${CONTAINERS}; caisson rmi removes images`,
  save: 'caisson build -o type=docker,dest=FILE writes what docker load reads',
  start: CONTAINERS,
  stop: CONTAINERS,
  system:
    'caisson du shows what the store takes, caisson prune empties the cache, caisson doctor tells of the machine',
  volume: 'there are no volumes: caisson run -v shows a folder of the host; caisson du has the cache mounts',
};

/** Flags of docker's commands that there is no use for here, and what to do instead: of `build`, of `run` and so on. */
const FLAGS: Readonly<Record<string, Hints>> = {
  build: {
    annotation: 'LABEL, or --label, is in the image itself',
    attest: 'no attestations are made: leave it out',
    builder: 'there are no builders: the build runs here',
    'cgroup-parent': '--memory and --cpus limit what a step may use',
    compress: 'a context is not sent anywhere: leave it out',
    'cpu-period': '--cpus limits how many processors a step may use',
    'cpu-quota': '--cpus limits how many processors a step may use',
    'cpu-shares': '--cpus limits how many processors a step may use',
    'force-rm': 'nothing is left of a step that failed: leave it out',
    isolation: '--runtime says what runs steps',
    'memory-swap': '--memory limits what a step may use, without swap',
    print: 'caisson plan prints the steps; --call=check checks',
    provenance: 'no attestations are made: leave it out',
    rm: 'nothing is left of a step: leave it out',
    sbom: 'no attestations are made: leave it out',
    'security-opt': '--min-isolation says what must keep steps in, at least',
    squash:
      'a last stage "FROM scratch" with "COPY --from=STAGE / /" has one layer; -o FOLDER writes the files alone',
  },
  run: {
    d: '& of a shell leaves it in the background',
    detach: '& of a shell leaves it in the background',
    mount: '-v SOURCE:TARGET[:ro] shows a folder or file of the host',
    name: 'a container has no name: it is gone when it ends',
    p: PORTS,
    publish: PORTS,
  },
  prune: { volumes: 'there are none; cache mounts are removed too' },
};

/** What to do in place of a command of docker; undefined for what is none. */
export function insteadOfCommand(name: string): string | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

/** What to do in place of a flag of docker's command of the same name. @param flag with its dashes */
export function insteadOfFlag(command: string, flag: string): string | undefined {
  const hints = Object.hasOwn(FLAGS, command) ? (FLAGS[command] ?? {}) : {};
  const name = flag.replace(/^-+/, '');
  const isLong = flag.startsWith('--');
  return isLong === name.length > 1 && Object.hasOwn(hints, name) ? hints[name] : undefined;
}
