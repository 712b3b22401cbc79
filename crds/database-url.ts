/** What a server connects to instead of a database: a port of its own machine, where the proxy listens. Pure. */

/** Any will do; it says nothing. */
const USER = 'gatehouse';

/** `password` opens nothing elsewhere. */
export function databaseUrl(
  { listen, database }: { readonly listen: number; readonly database: string },
  password: string,
): string {
  return `postgres://${USER}:${password}@127.0.0.1:${listen}/${encodeURIComponent(database)}`;
}
