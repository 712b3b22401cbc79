/** Which protocol revision a message belongs to, and whether its headers say the same (2026-07-28, *Server Validation*). */
import type { ClientMessage, ClientNotification, ClientRequest, Era } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import { decodeHeaderValue } from '../lib/header-value.ts';
import { isObject, type Incoming } from './message.ts';

export const LEGACY_REVISIONS: readonly string[] = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];
export const MODERN_REVISIONS: readonly string[] = ['2026-07-28'];
const ALL_REVISIONS = [...LEGACY_REVISIONS, ...MODERN_REVISIONS];
/** What a request without the header speaks (2025-06-18, *Protocol Version Header*). */
const ASSUMED = '2025-03-26';
/** Arrays were part of this revision only. */
const BATCHING = '2025-03-26';

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const HEADER_MISMATCH = -32020;
const UNSUPPORTED_VERSION = -32022;
const INVALID_PARAMS = -32602;
const INVALID_REQUEST = -32600;

export interface RevisionHeaders {
  readonly version: string | undefined;
  readonly method: string | undefined;
  readonly name: string | undefined;
}

export interface Revision {
  readonly era: Era;
  readonly revision: string;
}

/** The revision that a body speaks. Throws a Refusal where headers and body do not agree or the revision is unknown. */
export function revisionOf(incoming: Incoming, headers: RevisionHeaders): Revision {
  const [first] = incoming.messages;
  if (incoming.batch || first === undefined) return batchRevision(incoming, headers);
  if (first.kind === 'response') return responseRevision(headers);
  const claim = claimOf(first);
  if (claim === undefined) return unclaimedRevision(first, headers);
  if (headers.version !== undefined && headers.version !== claim) {
    throw mismatch('MCP-Protocol-Version', headers.version, `the body names protocol revision ${claim}`);
  }
  if (LEGACY_REVISIONS.includes(claim)) return { era: 'legacy', revision: claim };
  if (!MODERN_REVISIONS.includes(claim)) throw unsupported(claim);
  checkModernHeaders(first, headers);
  return { era: 'modern', revision: claim };
}

function claimOf(message: ClientRequest | ClientNotification): string | undefined {
  const meta = message.params['_meta'];
  if (!isObject(meta) || !(VERSION_KEY in meta)) return undefined;
  const claim = meta[VERSION_KEY];
  if (typeof claim === 'string') return claim;
  throw new Refusal(
    'bad_request',
    `params._meta["${VERSION_KEY}"] is a string that names a protocol revision.`,
    {
      status: 400,
      as: INVALID_PARAMS,
    },
  );
}

/** Without a claim in the body the message is legacy traffic; a header that says otherwise lacks its half. */
function unclaimedRevision(message: ClientRequest | ClientNotification, headers: RevisionHeaders): Revision {
  const named = headers.version;
  if (named === undefined || !MODERN_REVISIONS.includes(named)) {
    return { era: 'legacy', revision: legacyVersion(message, named) };
  }
  if (message.kind === 'notification') {
    checkMethodHeader(message, headers);
    return { era: 'modern', revision: named };
  }
  if (message.method === 'initialize') {
    throw mismatch('MCP-Protocol-Version', named, 'initialize belongs to the revisions before it');
  }
  throw new Refusal(
    'bad_request',
    `The header names protocol revision ${named}, whose requests carry params._meta["${VERSION_KEY}"]; this one does not.`,
    { status: 400, as: INVALID_PARAMS },
  );
}

function legacyVersion(message: ClientMessage, named: string | undefined): string {
  if (message.kind === 'request' && message.method === 'initialize') {
    const wanted = message.params['protocolVersion'];
    return typeof wanted === 'string' && LEGACY_REVISIONS.includes(wanted) ? wanted : '2025-11-25';
  }
  return knownLegacy(named);
}

/** The revision a legacy header names. Throws a Refusal for one that nobody here speaks. */
export function knownLegacy(named: string | undefined): string {
  if (named === undefined) return ASSUMED;
  if (ALL_REVISIONS.includes(named)) return named;
  throw new Refusal(
    'unsupported_version',
    `Bad Request: unsupported protocol version ${JSON.stringify(named)} in MCP-Protocol-Version (supported: ${ALL_REVISIONS.join(', ')}).`,
    { status: 400, as: -32000 },
  );
}

function batchRevision(incoming: Incoming, headers: RevisionHeaders): Revision {
  if (incoming.messages.some((message) => message.kind !== 'response' && claimOf(message) !== undefined)) {
    throw new Refusal('bad_request', 'A batch may not hold messages of protocol revision 2026-07-28.', {
      status: 400,
      as: INVALID_REQUEST,
    });
  }
  const revision = knownLegacy(headers.version);
  if (revision === BATCHING) return { era: 'legacy', revision };
  throw new Refusal(
    'bad_request',
    `Protocol revision ${revision} has no batches; send one message a request.`,
    {
      status: 400,
      as: INVALID_REQUEST,
    },
  );
}

function responseRevision(headers: RevisionHeaders): Revision {
  const revision = knownLegacy(headers.version);
  if (!MODERN_REVISIONS.includes(revision)) return { era: 'legacy', revision };
  throw new Refusal('bad_request', `Clients of protocol revision ${revision} post no responses.`, {
    status: 400,
    as: INVALID_REQUEST,
  });
}

function checkModernHeaders(message: ClientRequest | ClientNotification, headers: RevisionHeaders): void {
  if (message.kind === 'notification') {
    checkMethodHeader(message, headers);
    return;
  }
  if (headers.version === undefined) throw missing('MCP-Protocol-Version');
  if (headers.method === undefined) throw missing('Mcp-Method');
  checkMethodHeader(message, headers);
  checkNameHeader(message, headers);
}

function checkMethodHeader(message: ClientRequest | ClientNotification, headers: RevisionHeaders): void {
  if (headers.method !== undefined && headers.method !== message.method) {
    throw mismatch('Mcp-Method', headers.method, `the body names method ${message.method}`);
  }
}

/** Which member of `params` Mcp-Name repeats (and, for tasks, SEP-2663). */
const NAME_SOURCE: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

function checkNameHeader(message: ClientRequest, headers: RevisionHeaders): void {
  const source = NAME_SOURCE[message.method];
  const inBody = source === undefined ? undefined : message.params[source];
  if (source === undefined || typeof inBody !== 'string') return;
  if (headers.name === undefined) throw missing('Mcp-Name');
  const named = decodeHeaderValue(headers.name);
  if (named === undefined)
    throw mismatch('Mcp-Name', headers.name, 'its =?base64?…?= value is not base64 of UTF-8');
  if (named !== inBody)
    throw mismatch('Mcp-Name', named, `the body has params.${source} ${JSON.stringify(inBody)}`);
}

function missing(header: string): Refusal {
  return new Refusal(
    'header_mismatch',
    `The request lacks the header ${header}, which repeats what its body says.`,
    {
      status: 400,
      as: HEADER_MISMATCH,
      data: { mismatch: { header } },
    },
  );
}

function mismatch(header: string, value: string, body: string): Refusal {
  return new Refusal(
    'header_mismatch',
    `Headers and body disagree: ${header} is ${JSON.stringify(value)}, but ${body}.`,
    { status: 400, as: HEADER_MISMATCH, data: { mismatch: { header, body } } },
  );
}

function unsupported(requested: string): Refusal {
  return new Refusal(
    'unsupported_version',
    `Protocol revision ${JSON.stringify(requested)} is not supported here.`,
    {
      status: 400,
      as: UNSUPPORTED_VERSION,
      data: { supported: [...MODERN_REVISIONS], requested },
    },
  );
}
