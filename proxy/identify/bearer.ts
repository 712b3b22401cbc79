import { Refusal } from '../refusal.ts';
import { challenge, type Challenge } from './challenge.ts';

/** What a request shows of its sender; node's IncomingMessage is one. */
export interface Presented {
  /** Header names in lower case, every value apart, so that a second Authorization header is seen. */
  readonly headersDistinct: NodeJS.Dict<string[]>;
  /** Path and query, as the request line has them. */
  readonly url?: string | undefined;
}

/** RFC 6750, 2.1: `Bearer` and one b64token. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

/**
 * The bearer token of a request, undefined where the request has no Authorization header at all. Throws a Refusal
 * for a token in the query (RFC 6750, 2.3 is not for MCP), for two tokens, and for any other scheme.
 */
export function bearerToken(presented: Presented, about: Challenge): string | undefined {
  if (hasTokenInQuery(presented.url)) {
    throw malformed(
      'Access tokens are not taken from the URL: send the token in the Authorization header.',
      about,
    );
  }
  const [value, ...more] = presented.headersDistinct['authorization'] ?? [];
  if (value === undefined) return undefined;
  if (more.length > 0) throw malformed('The request has more than one Authorization header.', about);
  const token = BEARER.exec(value)?.[1];
  if (token === undefined) {
    throw new Refusal('unauthenticated', 'The Authorization header does not hold a Bearer token.', {
      status: 401,
      as: 4401,
      headers: challenge(about),
    });
  }
  return token;
}

function hasTokenInQuery(url: string | undefined): boolean {
  const query = url?.indexOf('?') ?? -1;
  if (url === undefined || query < 0) return false;
  const names = [...new URLSearchParams(url.slice(query + 1)).keys()];
  return names.some((name) => name.toLowerCase() === 'access_token');
}

function malformed(message: string, about: Challenge): Refusal {
  return new Refusal('bad_request', message, {
    status: 400,
    as: -32600,
    headers: challenge(about, { error: 'invalid_request', description: message }),
  });
}
