// oxlint-disable typescript/no-unsafe-call, typescript/no-unsafe-member-access -- the types of Node are those of modules
// CommonJS that any Node can read, for the program and for those who import the package.
const needed = 24;
const major = Number(process.versions.node.split('.')[0]);

/** What is wrong with this Node; undefined where nothing is. */
exports.complaint =
  major < needed ? `caisson needs Node ${needed} or newer; this is ${process.version}` : undefined;

/** How to have another one for the program. */
exports.remedy = `npx -p node@${needed} -p caisson caisson ... brings its own`;
