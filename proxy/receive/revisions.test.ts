import { expect, test } from 'vitest';
import { encodeHeaderValue } from '../lib/header-value.ts';
import { Refusal } from '../refusal.ts';
import { readMessages } from './message.ts';
import { revisionOf, type RevisionHeaders } from './revisions.ts';

const MODERN = '2026-07-28';
const meta = (version: unknown = MODERN) => ({
  _meta: { 'io.modelcontextprotocol/protocolVersion': version },
});
const NONE: RevisionHeaders = { version: undefined, method: undefined, name: undefined };

function judge(message: object, headers: Partial<RevisionHeaders> = {}) {
  try {
    return revisionOf(readMessages(JSON.stringify(message)), { ...NONE, ...headers });
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, status: error.status, as: error.as };
    throw error;
  }
}
const call = (params: object, method = 'tools/call') => ({ jsonrpc: '2.0', id: 1, method, params });

test.for([
  [
    'no claim, no header: 2025-03-26 is assumed',
    call({ name: 'a' }),
    {},
    { era: 'legacy', revision: '2025-03-26' },
  ],
  [
    'the header names a legacy revision',
    call({ name: 'a' }),
    { version: '2025-06-18' },
    { era: 'legacy', revision: '2025-06-18' },
  ],
  [
    'initialize is legacy by definition',
    call({ protocolVersion: '2025-11-25' }, 'initialize'),
    {},
    { era: 'legacy', revision: '2025-11-25' },
  ],
  [
    'initialize for a revision nobody knows yet',
    call({ protocolVersion: '2031-01-01' }, 'initialize'),
    {},
    { era: 'legacy', revision: '2025-11-25' },
  ],
  [
    'a claim with its headers',
    call({ name: 'a', ...meta() }),
    { version: MODERN, method: 'tools/call', name: 'a' },
    { era: 'modern', revision: MODERN },
  ],
  [
    'a notification under a modern header',
    { jsonrpc: '2.0', method: 'notifications/x' },
    { version: MODERN },
    { era: 'modern', revision: MODERN },
  ],
  [
    'a response',
    { jsonrpc: '2.0', id: 1, result: {} },
    { version: '2025-11-25' },
    { era: 'legacy', revision: '2025-11-25' },
  ],
  [
    'a batch of 2025-03-26',
    [call({ name: 'a' })],
    { version: '2025-03-26' },
    { era: 'legacy', revision: '2025-03-26' },
  ],
] as const)('%s', ([, message, headers, expected]) => {
  expect(judge(message, headers)).toEqual(expected);
});

const mismatch = { code: 'header_mismatch', status: 400, as: -32020 };
test.for([
  [
    'unknown legacy header',
    call({ name: 'a' }),
    { version: '1999-01-01' },
    { code: 'unsupported_version', status: 400, as: -32000 },
  ],
  [
    'unknown claim',
    call({ name: 'a', ...meta('2031-01-01') }),
    { version: '2031-01-01' },
    { code: 'unsupported_version', status: 400, as: -32022 },
  ],
  ['a claim that is no string', call(meta(7)), {}, { code: 'bad_request', status: 400, as: -32602 }],
  [
    'a modern header without a claim',
    call({ name: 'a' }),
    { version: MODERN },
    { code: 'bad_request', status: 400, as: -32602 },
  ],
  ['initialize under a modern header', call({}, 'initialize'), { version: MODERN }, mismatch],
  ['header and claim differ', call(meta()), { version: '2025-11-25' }, mismatch],
  [
    'the version header is missing',
    call({ name: 'a', ...meta() }),
    { method: 'tools/call', name: 'a' },
    mismatch,
  ],
  ['the method header is missing', call({ name: 'a', ...meta() }), { version: MODERN, name: 'a' }, mismatch],
  [
    'the method header names another method',
    call({ name: 'a', ...meta() }),
    { version: MODERN, method: 'ping', name: 'a' },
    mismatch,
  ],
  [
    'the name header is missing',
    call({ name: 'a', ...meta() }),
    { version: MODERN, method: 'tools/call' },
    mismatch,
  ],
  [
    'the name header names another tool',
    call({ name: 'drop', ...meta() }),
    { version: MODERN, method: 'tools/call', name: 'get' },
    mismatch,
  ],
  [
    'the name header is broken base64',
    call({ name: 'a', ...meta() }),
    { version: MODERN, method: 'tools/call', name: '=?base64?%%?=' },
    mismatch,
  ],
  [
    'the name header of a resource differs',
    call({ uri: 'file:///a', ...meta() }, 'resources/read'),
    { version: MODERN, method: 'resources/read', name: 'file:///b' },
    mismatch,
  ],
  [
    'a notification whose method header differs',
    { jsonrpc: '2.0', method: 'notifications/x' },
    { version: MODERN, method: 'notifications/y' },
    mismatch,
  ],
  [
    'a posted response under a modern header',
    { jsonrpc: '2.0', id: 1, result: {} },
    { version: MODERN },
    { code: 'bad_request', status: 400, as: -32600 },
  ],
  ['a batch with a modern claim', [call(meta())], {}, { code: 'bad_request', status: 400, as: -32600 }],
  [
    'a batch after 2025-03-26',
    [call({})],
    { version: '2025-06-18' },
    { code: 'bad_request', status: 400, as: -32600 },
  ],
] as const)('refused: %s', ([, message, headers, expected]) => {
  expect(judge(message, headers)).toEqual(expected);
});

test.for(['get', 'späti', ' padded ', '=?base64?x?=', '日本', ''])(
  'a name %j travels in a header',
  (name) => {
    const headers = { version: MODERN, method: 'tools/call', name: encodeHeaderValue(name) };
    expect(judge(call({ name, ...meta() }), headers)).toEqual({ era: 'modern', revision: MODERN });
  },
);
