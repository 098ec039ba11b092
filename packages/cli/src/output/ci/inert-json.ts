/**
 * JSON in whose strings no CI system finds anything to obey. A line of it never begins with one, and it has no control
 * characters; but GitHub Actions obeys ##[command] anywhere in a line. What is written for that says the same as JSON.
 * @param indent how many spaces stand before what lies deeper; all in one line where it is not given
 */
export function inertJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll('##[', '##\\u005b');
}
