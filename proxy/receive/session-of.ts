/** What a request's headers say of its session and revision. */
import type { IncomingMessage } from 'node:http';
import type { Caller } from '../exchange.ts';
import type { Gateway } from '../gateway.ts';
import { Refusal } from '../refusal.ts';
import type { Session } from '../session/sessions.ts';
import { requestOf, type Incoming } from './message.ts';
import { knownLegacy, MODERN_REVISIONS, type Revision } from './revisions.ts';

interface Visit {
  readonly gateway: Gateway;
  readonly request: IncomingMessage;
}

/** The session that a body belongs to; `initialize` opens one. */
export function sessionFor(
  incoming: Incoming,
  { visit, caller, revision }: { visit: Visit; caller: Caller; revision: Revision },
): Session {
  const { sessions } = visit.gateway;
  if (revision.era === 'modern') return sessions.implicit(caller, 'modern', revision.revision);
  if (requestOf(incoming.messages)?.method === 'initialize') return sessions.open(caller, revision.revision);
  return namedSession(visit, caller) ?? sessions.implicit(caller, 'legacy', revision.revision);
}

function namedSession({ gateway, request }: Visit, caller: Caller): Session | undefined {
  const name = request.headers['mcp-session-id'];
  if (typeof name !== 'string') return undefined;
  return gateway.sessions.find(name, caller, gateway.sealer, (link) => gateway.upstream.resumable(link));
}

/** Throws a Refusal for a GET or DELETE of a revision that has neither; they belong to the revisions with sessions. */
export function checkLegacy(request: IncomingMessage): void {
  const revision = knownLegacy(singleHeader(request, 'mcp-protocol-version'));
  if (!MODERN_REVISIONS.includes(revision)) return;
  throw new Refusal('method_not_allowed', `Protocol revision ${revision} knows no method but POST.`, {
    status: 405,
    as: -32600,
    headers: { Allow: 'POST' },
  });
}

/** GET and DELETE are about the session that they name. */
export function requireSession(visit: Visit, caller: Caller): Session {
  const session = namedSession(visit, caller);
  if (session !== undefined) return session;
  throw new Refusal(
    'bad_request',
    'Bad Request: the header Mcp-Session-Id is missing; initialize opens a session.',
    { status: 400, as: -32000 },
  );
}

export function revisionHeaders(request: IncomingMessage): {
  version: string | undefined;
  method: string | undefined;
  name: string | undefined;
} {
  return {
    version: singleHeader(request, 'mcp-protocol-version'),
    method: singleHeader(request, 'mcp-method'),
    name: singleHeader(request, 'mcp-name'),
  };
}

/** A header that may stand once. Node joins repeated ones with a comma, which two readers could take apart differently. */
export function singleHeader(request: IncomingMessage, name: string): string | undefined {
  const values = request.headersDistinct[name];
  if (values === undefined) return undefined;
  const [only, ...more] = values;
  if (more.length === 0 && only !== undefined) return only.trim();
  throw new Refusal('header_mismatch', `The header ${name} is there more than once.`, {
    status: 400,
    as: -32020,
  });
}
