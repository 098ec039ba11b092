/** A text without the user names and passwords of the URLs in it: all up to the last `@` before the path. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/(https?:\/\/)[^\s/?#]*@/gi, '$1');
}
