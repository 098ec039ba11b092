/** A URL as it may be shown and logged: without user name, password, query (tokens, signatures) and fragment. */
export function redactUrl(url: URL): string {
  const query = url.search === '' ? '' : '?...';
  const path = url.pathname === '/' ? '' : url.pathname;
  return `${url.protocol}//${url.host}${path}${query}`;
}
