import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Agent, request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type ToolsSeen,
  approvalView,
  bundleFrame,
  controlProblem,
  type BundleFrame,
} from '../../crds/control.ts';
import { silentLogger } from '../../lib/log.ts';
import { demand, DIGEST, person, ruling } from '../../test/fixtures/approval.ts';
import { bundleOf } from '../../test/fixtures/bundle.ts';
import { manualClock, type ManualClock } from '../../test/fixtures/manual-clock.ts';
import { createApprovals, type Approvals } from '../approve/approvals.ts';
import { openDirectoryStore } from '../approve/directory-store.ts';
import { openPki } from '../keys/pki.ts';
import { createAppliedBoard, type AppliedBoard } from './applied-board.ts';
import { createBundleBoard, type BundleBoard } from './bundle-board.ts';
import { HEARTBEAT_MS } from './bundle-stream.ts';
import { createControlApi } from './control-api.ts';
import { startTlsServer, type TlsServer } from './tls-server.ts';
import { fixedTokens } from './identity.ts';

const log = silentLogger();
const tokens = { all: randomBytes(32).toString('base64url'), other: randomBytes(32).toString('base64url') };
const billing = bundleOf({ revision: 'b2', gateway: { namespace: 'tools', name: 'billing' } });

let directory: string;
let clock: ManualClock;
let board: BundleBoard;
let applied: AppliedBoard;
let approvals: Approvals;
let server: TlsServer;
let agent: Agent;
let followers: number;
let reported: ToolsSeen[];
let roots: string | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-control-'));
  clock = manualClock(Date.now());
  board = createBundleBoard();
  applied = createAppliedBoard();
  followers = 0;
  reported = [];
  roots = undefined;
  approvals = createApprovals({
    store: await openDirectoryStore(join(directory, 'approvals'), log),
    rules: board,
    clock,
    log,
    periods: { retentionMs: 86_400_000, runMs: 86_400_000 },
  });
  const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');
  const reviewer = fixedTokens([
    { sha256: sha256(tokens.all), identity: { name: 'proxy', gateways: 'all' } },
    { sha256: sha256(tokens.other), identity: { name: 'other', gateways: new Set(['tools/billing']) } },
  ]);
  const app = createControlApi({
    ...{ board, applied, approvals, reviewer, clock, log },
    roots: () => roots,
    onFollower: (change) => (followers += change),
    onTools: (seen) => Promise.resolve(void reported.push(seen)),
  });
  const pki = await openPki(directory, clock.now());
  const certificate = () => pki.server('control', ['127.0.0.1'], clock.now());
  const listen = { host: '127.0.0.1', port: 0 };
  server = await startTlsServer(app, { listen, certificate, checkEveryMs: 43_200_000 }, { clock, log });
  agent = new Agent({ connect: { ca: await readFile(pki.caFile, 'utf8') } });
});

afterEach(async () => {
  await approvals.close();
  await agent.destroy();
  await server.close();
  await rm(directory, { recursive: true });
});

interface Asked {
  readonly status: number;
  readonly body: unknown;
}

async function ask(path: string, body?: unknown, token: string | undefined = tokens.all): Promise<Asked> {
  const response = await request(new URL(path, server.url), {
    method: body === undefined ? 'GET' : 'POST',
    dispatcher: agent,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.body.text();
  return { status: response.statusCode, body: text === '' ? undefined : JSON.parse(text) };
}

/** Frames of the bundle stream, one at a time. */
async function follow(token = tokens.all): Promise<{ next: () => Promise<BundleFrame>; hangUp: () => void }> {
  const response = await request(new URL('/v1/bundles', server.url), {
    dispatcher: agent,
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.statusCode).toBe(200);
  const lines = createInterface({ input: response.body })[Symbol.asyncIterator]();
  return {
    next: async () => bundleFrame.parse(JSON.parse((await lines.next()).value as string)),
    hangUp: () => response.body.destroy(),
  };
}

describe('who may ask', () => {
  test('nobody without a token that was given out, on any route', async () => {
    for (const [path, body] of [
      ['/v1/bundles'],
      ['/v1/applied', {}],
      ['/v1/approvals', demand],
      ['/v1/approvals/x'],
      ['/v1/approvals/x/consume', { digest: DIGEST }],
      ['/nothing'],
    ] as const) {
      const { status, body: problem } = await ask(path, body, randomBytes(32).toString('base64url'));
      expect([path, status]).toEqual([path, 401]);
      expect(controlProblem.parse(problem).code).toBe('unauthenticated');
    }
  });

  test('nobody who does not trust the installation', async () => {
    const response = request(new URL('/v1/bundles', server.url), {
      headers: { authorization: `Bearer ${tokens.all}` },
    });
    await expect(response).rejects.toThrow();
  });

  test('a proxy only about its own gateways', async () => {
    board.replace([bundleOf(), billing]);
    const { next, hangUp } = await follow(tokens.other);
    expect(await next()).toMatchObject({ type: 'bundles', bundles: [{ gateway: { name: 'billing' } }] });
    hangUp();
    expect(await ask('/v1/approvals', demand, tokens.other)).toMatchObject({ status: 403 });
    expect(await ask('/v1/applied', { gateway: 'tools/orders', revision: 'b1' }, tokens.other)).toMatchObject(
      {
        status: 403,
      },
    );
    const { id } = approvalView.parse((await ask('/v1/approvals', demand)).body);
    const missing = await ask('/v1/approvals/orders-none', undefined, tokens.other);
    for (const [path, body] of [
      [''],
      ['/consume', { digest: DIGEST }],
      ['/outcome', { outcome: 'Completed' }],
      ['/cancel', {}],
    ] as const) {
      expect(await ask(`/v1/approvals/${id}${path}`, body, tokens.other)).toEqual(missing);
    }
    expect(missing.status).toBe(404);
  });
});

describe('the bundle stream', () => {
  test('brings the whole set at once and after every change, and heartbeats between', async () => {
    board.replace([bundleOf()]);
    const { next } = await follow();
    expect(await next()).toEqual({ type: 'bundles', bundles: [bundleOf()] });
    clock.advance(HEARTBEAT_MS);
    expect(await next()).toEqual({ type: 'heartbeat' });
    clock.advance(HEARTBEAT_MS);
    expect(await next()).toEqual({ type: 'heartbeat' });
    board.replace([bundleOf(), billing]);
    expect(await next()).toMatchObject({ bundles: [{ revision: 'b1' }, { revision: 'b2' }] });
    board.replace([]);
    expect(await next()).toEqual({ type: 'bundles', bundles: [] });
  });

  test('says nothing before there is a set, and nothing when it did not change', async () => {
    const { next } = await follow();
    clock.advance(HEARTBEAT_MS);
    expect(await next()).toEqual({ type: 'heartbeat' });
    board.replace([bundleOf()]);
    board.replace([bundleOf()]);
    expect(await next()).toMatchObject({ type: 'bundles' });
    clock.advance(HEARTBEAT_MS);
    expect(await next()).toEqual({ type: 'heartbeat' });
  });

  test('brings what vouches for the installation, and brings it again when that has changed', async () => {
    roots = 'old';
    board.replace([bundleOf()]);
    const { next } = await follow();
    expect(await next()).toEqual({ type: 'bundles', bundles: [bundleOf()], roots: 'old' });
    roots = 'old and new';
    board.announce();
    expect(await next()).toEqual({ type: 'bundles', bundles: [bundleOf()], roots: 'old and new' });
    board.announce();
    clock.advance(HEARTBEAT_MS);
    expect(await next()).toEqual({ type: 'heartbeat' });
  });

  test('forgets a proxy that hung up', async () => {
    const { hangUp } = await follow();
    expect(followers).toBe(1);
    hangUp();
    await expect.poll(() => followers).toBe(0);
  });
});

describe('approvals', () => {
  let id: string;

  beforeEach(async () => {
    board.replace([bundleOf()]);
    id = approvalView.parse((await ask('/v1/approvals', demand)).body).id;
  });

  test('are demanded, waited for, consumed once and ended', async () => {
    const waiting = ask(`/v1/approvals/${id}?wait=60000`);
    await approvals.decide(id, ruling(person('alice'), 'Approve', 'go ahead'));
    expect(await waiting).toMatchObject({
      status: 200,
      body: { id, phase: 'Approved', decidedBy: ['alice'], comment: 'go ahead' },
    });
    const wrong = await ask(`/v1/approvals/${id}/consume`, { digest: 'e'.repeat(64) });
    expect(wrong).toMatchObject({ status: 409, body: { code: 'digest_mismatch', phase: 'Approved' } });
    const consumed = await ask(`/v1/approvals/${id}/consume`, { digest: DIGEST });
    expect(consumed).toMatchObject({ status: 200, body: { phase: 'Consumed' } });
    const again = await ask(`/v1/approvals/${id}/consume`, { digest: DIGEST });
    expect(again).toMatchObject({ status: 409, body: { code: 'already_consumed', phase: 'Consumed' } });
    expect(await ask(`/v1/approvals/${id}/outcome`, { outcome: 'Completed' })).toMatchObject({ status: 200 });
    expect((await approvals.get(id)).status.outcome).toBe('Completed');
  });

  test('are answered as they stand when the wait is over', async () => {
    const waiting = ask(`/v1/approvals/${id}?wait=5000`);
    const poll = setInterval(() => clock.advance(1000), 5);
    expect(await waiting).toMatchObject({ body: { phase: 'Pending' } });
    clearInterval(poll);
    expect(await ask(`/v1/approvals/${id}`)).toMatchObject({ body: { phase: 'Pending' } });
  });

  test('are cancelled when the caller goes away', async () => {
    expect(await ask(`/v1/approvals/${id}/cancel`, {})).toMatchObject({ body: { phase: 'Cancelled' } });
  });

  test('do not run under a rule that was changed meanwhile', async () => {
    await approvals.decide(id, ruling(person('alice')));
    board.replace([bundleOf({ revision: 'b3', rules: [] })]);
    const answer = await ask(`/v1/approvals/${id}/consume`, { digest: DIGEST });
    expect(answer).toMatchObject({ status: 409, body: { code: 'policy_changed' } });
  });
});

describe('what a proxy says it applied', () => {
  test('is remembered, mistakes included', async () => {
    const said = { gateway: 'tools/orders', revision: 'b1', error: 'a pattern does not compile' };
    expect(await ask('/v1/applied', said)).toMatchObject({ status: 204 });
    expect(applied.of('tools/orders')).toEqual([{ ...said, proxy: 'proxy', at: clock.now() }]);
  });
});

describe('bad requests', () => {
  test.each([
    ['no JSON', '{"gateway":', 400, 'bad_request'],
    ['another shape', '{"gateway":7}', 400, 'bad_request'],
    ['too much', `{"gateway":"${'x'.repeat(300_000)}"}`, 413, 'too_large'],
  ])('%s is refused with a sentence', async (_, body, status, code) => {
    const answer = await ask('/v1/approvals', body);
    expect(answer.status).toBe(status);
    const problem = controlProblem.parse(answer.body);
    expect(problem.code).toBe(code);
    expect(problem.message).toMatch(/^[A-Z].*\.$/);
  });

  test('what an approval has no room for is refused, not kept', async () => {
    board.replace([bundleOf()]);
    const answer = await ask('/v1/approvals', {
      ...demand,
      call: { ...demand.call, preview: 'x'.repeat(9000) },
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    expect(await approvals.list()).toEqual([]);
  });

  test('an unknown path and a bad wait are said to be so', async () => {
    expect(await ask('/v1/other')).toMatchObject({ status: 404 });
    expect(await ask('/v1/approvals/x?wait=soon')).toMatchObject({ status: 400 });
  });
});

describe('tools that were seen', () => {
  const tools = [{ name: 'query', digest: `sha256:${'a'.repeat(64)}` }];

  test('are taken from whoever serves the gateway, and from nobody else', async () => {
    board.replace([bundleOf()]);
    const seen = { gateway: 'tools/orders', tools };
    expect((await ask('/v1/tools', seen)).status).toBe(204);
    expect((await ask('/v1/tools', seen, tokens.other)).status).toBe(403);
    expect(reported).toEqual([seen]);
  });

  test('are refused in any other form', async () => {
    for (const wrong of [
      [],
      [{ name: 'query', digest: 'abc' }],
      [{ name: 'x'.repeat(257), digest: tools[0]?.digest }],
    ])
      expect((await ask('/v1/tools', { gateway: 'tools/orders', tools: wrong })).status).toBe(400);
    expect(reported).toEqual([]);
  });

  test('that are first seen reach the proxies, though no policy has changed', async () => {
    board.replace([bundleOf()]);
    const { next, hangUp } = await follow();
    await next();
    const firstSeen = { revision: 't1', pins: tools };
    board.replace([bundleOf({ firstSeen })]);
    expect(await next()).toMatchObject({ bundles: [{ revision: 'b1', firstSeen }] });
    hangUp();
  });
});
