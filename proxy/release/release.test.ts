import { describe, expect, it } from 'vitest';
import type { MaskPolicy } from '../../crds/bundle.ts';
import { compileMasker, createKnownSecrets } from '../engine/mask/index.ts';
import { maskHere } from '../engine/masking/index.ts';
import type { Caller, ClientRequest, Era, Target } from '../exchange.ts';
import { createRelease, type Recipient, type Release, type Released } from './index.ts';
import { maskPolicy } from '../../test/fixtures/mask-policy.ts';

const SECRET = ['lent', 'to', 'nobody', '4711'].join('-');

const caller: Caller = {
  provider: 'staff',
  issuer: 'https://issuer.example',
  subject: 'u-1',
  username: 'alice',
  clientId: undefined,
  groups: [],
  serviceAccount: undefined,
  spiffeId: undefined,
  claims: {},
  anonymous: false,
};

const blockCards = maskPolicy({
  name: 'tools/cards',
  detectors: [{ preset: 'PaymentCards' }],
  action: 'Block',
});
const redactKeys: MaskPolicy = {
  ...blockCards,
  name: 'tools/keys',
  detectors: [],
  fields: [{ keys: ['count'] }],
  action: 'Redact',
};

function release(
  policies: readonly MaskPolicy[] = [],
  visible: (target: Target) => boolean = () => true,
): Release {
  const known = createKnownSecrets({ now: () => 0 });
  known.set('tools/orders/backend', [SECRET]);
  const masker = maskHere(compileMasker(policies, { known, hashKey: Buffer.alloc(32) }));
  return createRelease({
    ...{ masker, schemas: new Map(), visible: (_, target) => visible(target) },
    meets: () => true,
    mayAsk: new Set(['Sampling', 'Elicitation', 'Roots']),
  });
}

function request(method: string, tool?: string): ClientRequest {
  const target: Target | undefined = tool === undefined ? undefined : { kind: 'tool', name: tool };
  return { kind: 'request', id: 1, method, target, params: {}, text: '' };
}

function to(message?: ClientRequest, era: Era = 'legacy'): Recipient {
  return { caller, session: { id: 's1', era, revision: '' }, request: message };
}

async function textOf(released: Released | Promise<Released>): Promise<string> {
  return textIn(await released);
}

function textIn(released: Released): string {
  if (released.kind === 'dropped') throw new Error(`It was dropped: ${released.reason}`);
  return released.text;
}

const CARD = '4111 1111 1111 1111';
const answer = (text: string): string =>
  `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":${JSON.stringify(text)}}],"n":9007199254740993}}`;

describe('createRelease', () => {
  it('masks what the proxy holds and says where', async () => {
    const released = await release()(answer(`the key is ${SECRET}`), to(request('tools/call', 'query')));
    expect(released).toMatchObject({
      kind: 'released',
      masked: [{ path: '$.result.content[0].text', detector: 'known-secret' }],
    });
    expect(await textOf(released)).toBe(answer('the key is [REDACTED:known-secret]'));
  });

  it('lets everything else through as it is', async () => {
    const text = answer('nothing to see');
    expect(await textOf(release()(text, to(request('tools/call', 'query'))))).toBe(text);
  });

  it('masks errors like results', async () => {
    const text = `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"bad ${SECRET}","data":{"stack":"${SECRET}"}}}`;
    expect(await textOf(release()(text, to(request('tools/call', 'query'))))).not.toContain(SECRET);
  });

  it('filters lists by what the recipient may see, before it masks', async () => {
    const text = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"query"},{"name":"drop","description":"${SECRET}"}]}}`;
    const released = await release([], (target) => target.kind === 'tool' && target.name === 'query')(
      text,
      to(request('tools/list')),
    );
    expect(released).toMatchObject({ kind: 'released', masked: [] });
    expect(await textOf(released)).toBe('{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"query"}]}}');
  });

  it('keeps shared caches away in the modern revision', async () => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{"tools":[],"ttlMs":600000,"cacheScope":"public"}}';
    expect(await textOf(release()(text, to(request('tools/list'), 'modern')))).toContain(
      '"ttlMs":60000,"cacheScope":"private"',
    );
    expect(await textOf(release()(text, to(request('tools/list'), 'legacy')))).toBe(text);
  });

  it('withholds a tool result that may not leave, in words a model can read', async () => {
    for (const era of ['legacy', 'modern'] as const) {
      const released = await release([blockCards])(answer(CARD), to(request('tools/call', 'query'), era));
      expect(released.kind).toBe('withheld');
      expect(await textOf(released)).not.toContain('4111');
      const message: unknown = JSON.parse(await textOf(released));
      expect(message).toMatchObject({ id: 1, result: { isError: true } });
      expect(JSON.stringify(message).includes('"resultType":"complete"')).toBe(era === 'modern');
      expect(await textOf(released)).toContain('payment-card');
    }
  });

  it('says why in one sentence, whose full stop is not doubled', async () => {
    for (const text of [answer(CARD), '{"jsonrpc":"2.0","id":1,"result":{"tools":{"drop":{}}}}']) {
      const method = text.includes('tools') ? 'tools/list' : 'tools/call';
      const said = await textOf(release([blockCards])(text, to(request(method, 'query'))));
      expect(said).toMatch(/The result was withheld: [^"]*[^."]\."/);
    }
  });

  it('withholds other answers as errors, with the id they came with', async () => {
    const text = `{"jsonrpc":"2.0","id":"r-9","result":{"contents":[{"uri":"a:b","text":"${CARD}"}]}}`;
    expect(
      JSON.parse(await textOf(release([blockCards])(text, to(request('resources/read'))))),
    ).toMatchObject({
      id: 'r-9',
      error: { code: 4403 },
    });
  });

  it('withholds a list that is none', async () => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{"tools":{"drop":{}}}}';
    expect(JSON.parse(await textOf(release()(text, to(request('tools/list')))))).toMatchObject({
      error: { code: 4403 },
    });
  });

  it('withholds what a mask would make break its promise', async () => {
    const gateway = release([redactKeys]);
    const schema = '{"type":"object","properties":{"count":{"type":"number"}}}';
    const list = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"stats","outputSchema":${schema}}]}}`;
    expect((await gateway(list, to(request('tools/list')))).kind).toBe('released');
    const text = '{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"count":5}}}';
    expect((await gateway(text, to(request('tools/call', 'stats')))).kind).toBe('withheld');
    expect((await gateway(text, to(request('tools/call', 'other')))).kind).toBe('released');
  });

  it('drops notifications that may not leave, and news of resources that are hidden', async () => {
    const log = `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"${CARD}"}}`;
    expect(await release([blockCards])(log, to())).toMatchObject({ kind: 'dropped', answer: undefined });

    const hiding = release([], (target) => target.kind === 'resource' && target.uri === 'a:open');
    const updated = (params: string): string =>
      `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":${params}}`;
    expect(await hiding(updated('{"uri":"a:hidden"}'), to())).toMatchObject({ kind: 'dropped' });
    expect(await hiding(updated('{}'), to())).toMatchObject({ kind: 'dropped' });
    expect((await hiding(updated('{"uri":"a:open"}'), to())).kind).toBe('released');
  });

  it('answers the server where its request may not reach the client', async () => {
    const text = `{"jsonrpc":"2.0","id":12345678901234567890,"method":"elicitation/create","params":{"message":"${CARD}"}}`;
    const released = await release([blockCards])(text, to());
    if (released.kind !== 'dropped') throw new Error('It was not dropped.');
    expect(released.answer).toMatch(/^\{"jsonrpc":"2\.0","id":12345678901234567890,"error":\{"code":4403,/);
    expect(released.answer).not.toContain('4111');
  });
});
