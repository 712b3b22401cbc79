import { expect, test } from 'vitest';
import type { MaskedText } from '../../crds/control.ts';
import { Secret } from '../../lib/secret.ts';
import type { Caller, ClientRequest, Credentialed } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import { messagePassed, refused, requested, responded, sessionStarted } from './outcome.ts';

const RAW = ['what', 'the', 'client', 'sent'].join('-');
const CREDENTIAL = ['lent', 'to', 'the', 'call'].join('-');
const AT = Date.parse('2026-01-01T00:00:00.250Z');
const on = { gateway: 'tools/orders', at: AT };
const text = '{"masked":true}' as MaskedText;

const caller: Caller = {
  provider: 'staff',
  issuer: 'https://login.example',
  subject: 'a1',
  username: 'alice',
  clientId: 'cli',
  groups: ['support'],
  serviceAccount: undefined,
  spiffeId: undefined,
  claims: { email: RAW },
  anonymous: false,
};

const exchange: Credentialed<ClientRequest> = {
  exchange: 'e1',
  at: AT - 250,
  message: {
    kind: 'request',
    id: 1,
    method: 'tools/call',
    target: { kind: 'tool', name: 'query' },
    params: { RAW },
    text: RAW,
  },
  caller,
  session: { id: 's1', era: 'legacy', revision: '2025-11-25' },
  authorized: true,
  judgement: {
    decision: 'allow',
    rule: undefined,
    ruleRevision: undefined,
    reason: 'No rule matches.',
    risk: 0,
    parsed: { classes: [], targets: [], risk: [] },
    audited: [],
  },
  approval: undefined,
  inject: [{ credential: 'orders-db', name: 'X-Api-Key', value: new Secret(CREDENTIAL) }],
};

test('a request is who, what and the decision, and nothing that was not masked', () => {
  const { message, judgement } = exchange;
  const event = requested(on, {
    exchange,
    method: message.method,
    target: message.target,
    message: text,
    judgement,
    credentials: ['orders-db'],
  });
  expect(event).toEqual({
    time: '2026-01-01T00:00:00.250Z',
    gateway: 'tools/orders',
    session: 's1',
    caller: {
      provider: 'staff',
      issuer: 'https://login.example',
      subject: 'a1',
      username: 'alice',
      groups: ['support'],
    },
    type: 'request',
    exchange: 'e1',
    method: 'tools/call',
    target: 'query',
    message: text,
    decision: 'allow',
    reason: 'No rule matches.',
    risk: 0,
    credentials: ['orders-db'],
  });
  expect(JSON.stringify(event)).not.toContain(RAW);
  expect(JSON.stringify(event)).not.toContain(CREDENTIAL);
});

test('a response counts from when the request came', () => {
  expect(responded(on, { exchange, message: text, masked: [] })).toMatchObject({
    type: 'response',
    durationMs: 250,
  });
});

test('a refusal before there was a caller has neither caller nor session', () => {
  const event = refused(
    on,
    { exchange: 'e2' },
    new Refusal('unauthenticated', 'Show a token.', { status: 401 }),
  );
  expect(event).toEqual({
    time: '2026-01-01T00:00:00.250Z',
    gateway: 'tools/orders',
    type: 'refusal',
    exchange: 'e2',
    code: 'unauthenticated',
    reason: 'Show a token.',
    status: 401,
  });
});

test('sessions and messages carry their session', () => {
  expect(sessionStarted(on, exchange, 'StreamableHTTP')).toMatchObject({
    session: 's1',
    revision: '2025-11-25',
  });
  const facts = {
    session: exchange.session,
    from: 'server',
    method: 'notifications/progress',
    message: text,
    masked: [],
  } as const;
  expect(messagePassed(on, facts)).toMatchObject({ type: 'message', session: 's1', from: 'server' });
});
