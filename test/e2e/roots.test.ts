/** A real proxy process while the installation's authority is replaced: it is told of the new one before it meets it. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createServer, type Server } from 'node:https';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bundle } from '../../crds/bundle.ts';
import { issueAuthority, issueServerLeaf, type KeyPair } from '../../lib/certificates.ts';
import { systemClock } from '../../lib/clock.ts';
import { listen } from '../../lib/listen.ts';
import { silentLogger } from '../../lib/log.ts';
import { closeServer } from '../../lib/server-close.ts';
import { createApprovals } from '../../operator/approve/approvals.ts';
import { openDirectoryStore } from '../../operator/approve/directory-store.ts';
import { createAppliedBoard, type AppliedBoard } from '../../operator/publish/applied-board.ts';
import { createBundleBoard, type BundleBoard } from '../../operator/publish/bundle-board.ts';
import { createControlApi } from '../../operator/publish/control-api.ts';
import { fixedTokens } from '../../operator/publish/identity.ts';
import { bundleOf } from '../fixtures/bundle.ts';
import { startNode, type Child } from '../fixtures/child.ts';

const cli = resolve(import.meta.dirname, '../../cli/main.ts');
const validity = { now: Date.now(), days: 1 };
const old = issueAuthority('old root', validity);
const next = issueAuthority('new root', validity);
const log = silentLogger();

let directory: string;
let board: BundleBoard;
let applied: AppliedBoard;
let roots: string;
let server: Server;
let url: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-roots-e2e-'));
  board = createBundleBoard();
  applied = createAppliedBoard();
  const token = randomBytes(32).toString('base64url');
  await writeFile(join(directory, 'token'), token);
  const sha256 = createHash('sha256').update(token).digest('hex');
  const app = createControlApi({
    ...{ board, applied, log, clock: systemClock },
    approvals: createApprovals({
      store: await openDirectoryStore(join(directory, 'approvals'), log),
      ...{ rules: board, clock: systemClock, log },
      periods: { retentionMs: 86_400_000, runMs: 86_400_000 },
    }),
    reviewer: fixedTokens([{ sha256, identity: { name: 'proxy', gateways: 'all' } }]),
    roots: () => roots,
    onFollower: () => undefined,
    onTools: () => Promise.resolve(),
  });
  server = createServer(leafOf(old), app);
  url = `https://127.0.0.1:${(await listen(server, { host: '127.0.0.1', port: 0 })).port}`;
  roots = old.cert;
});

afterEach(async () => {
  await closeServer(server, 0);
  await rm(directory, { recursive: true });
});

const leafOf = (authority: KeyPair): KeyPair => issueServerLeaf(authority, ['127.0.0.1'], validity);

/** From now on the server shows a certificate of this authority, to everybody. */
function show(authority: KeyPair): void {
  server.setSecureContext(leafOf(authority));
  server.closeAllConnections();
}

function tell(pem: string): void {
  roots = pem;
  board.announce();
}

/** A proxy as injection makes it: its environment knows the old root alone, whatever happens after. */
function startProxy(): Child {
  return startNode([cli, 'proxy'], {
    env: {
      GATEHOUSE_LISTEN: '127.0.0.1:0',
      GATEHOUSE_METRICS_LISTEN: '127.0.0.1:0',
      GATEHOUSE_CONTROL_URL: url,
      GATEHOUSE_RECORDER_URL: url,
      GATEHOUSE_CA: old.cert,
      GATEHOUSE_TOKEN_FILE: join(directory, 'token'),
      GATEHOUSE_STATE_DIR: join(directory, 'state'),
    },
  });
}

let edits = 0;
/** Puts a new policy in force and resolves with it once the proxy has it. */
async function reaches(withinMs = 30_000): Promise<Bundle> {
  const edited = bundleOf({ revision: `edit-${(edits += 1)}` });
  board.replace([edited]);
  await expect
    .poll(() => applied.of('tools/orders').map(({ revision }) => revision), { timeout: withinMs })
    .toEqual([edited.revision]);
  return edited;
}

test('a live proxy follows the operator over a new root, and so does one that starts again', async () => {
  await using proxy = startProxy();
  await reaches();
  tell(old.cert + next.cert);
  await reaches();
  show(next);
  await reaches();
  tell(next.cert);
  await reaches();
  await proxy.stop();
  await using again = startProxy();
  await again.printed(/"ready":true/);
  await reaches();
});

test('without having been told, it keeps to what it knows', async () => {
  await using proxy = startProxy();
  await reaches();
  show(next);
  await proxy.printed(/the bundle stream ended/);
  await expect(reaches(3_000)).rejects.toThrow('edit');
  show(old);
  await reaches();
});

test('roots that are none change nothing', async () => {
  await using proxy = startProxy();
  await reaches();
  tell('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  await proxy.printed(/new roots could not be taken up/);
  server.closeAllConnections();
  await reaches();
});
