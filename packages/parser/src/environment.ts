/** Where the values of variables come from: a Map or anything that is asked like one, or an object `{NAME: value}`. */
export type Environment = LookUp | Readonly<Record<string, string>>;

/** Answers with the value of a variable; undefined where it is not set. */
export interface LookUp {
  get(name: string): string | undefined;
}

/**
 * How variables are looked up.
 * @param platform what is built for: for Windows, names of variables have no case
 */
export function lookUpIn(env: Environment, platform: string): LookUp {
  if (/^windows(?:$|[/(])/i.test(platform)) {
    const entries = env instanceof Map ? [...env] : isLookUp(env) ? [] : Object.entries(env);
    const values = new Map(entries.map(([name, value]) => [String(name).toUpperCase(), String(value)]));
    return { get: (name) => values.get(name.toUpperCase()) ?? (isLookUp(env) ? env.get(name) : undefined) };
  }
  if (isLookUp(env)) return { get: (name) => env.get(name) ?? undefined };
  return { get: (name) => (Object.hasOwn(env, name) ? env[name] : undefined) };
}

function isLookUp(env: Environment): env is LookUp {
  return typeof env['get'] === 'function';
}
