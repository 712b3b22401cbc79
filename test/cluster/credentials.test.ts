/** Credentials of a real Vault in real pods: minted for a session, put in on the way out, seen by nobody, given back. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { missingSentence, vault as vaultPart, vaultKubernetes } from '../../hack/tools/parts.ts';
import { issueAuthority, issueServerLeaf } from '../../lib/certificates.ts';
import { eventually } from './cluster.ts';
import { ownCluster } from './config.ts';
import { buildCredentialsImage } from './credentials/image.ts';
import { apiIn, gateway, SERVER, server, surroundings } from './credentials/manifests.ts';
import { Ana, lookThrough } from './credentials/people.ts';
import { ClusterVault } from './credentials/vault.ts';
import { installGatehouse, NAMESPACE, provideImage, takeTurn, uninstallGatehouse } from './installation.ts';
import { containerOf, kill } from './story/world.ts';
import { describeWithCluster } from './suite.ts';

const SIDECAR = 'gatehouse-proxy';
const READ_TRUST = `
  const { readFileSync } = await import('node:fs');
  console.log(readFileSync('/var/run/gatehouse-trust/ca.pem', 'utf8'));`;
const apiLine = z.object({ url: z.string(), authorization: z.string() });

const missing =
  missingSentence([vaultPart, vaultKubernetes]) ??
  // The image with Vault has to be brought to its nodes.
  (ownCluster() === undefined ? 'needs a cluster of this machine' : undefined);

if (missing === undefined) describeWithCluster('credentials in pods', tests);
else describe.skip(`credentials in pods (${missing})`, () => it('is not tried', () => undefined));

function tests(cluster: Parameters<Parameters<typeof describeWithCluster>[1]>[0]): void {
  let directory = '';
  let namespace = '';
  let endTurn = (): void => undefined;
  let vault: ClusterVault;
  let ana: Ana;
  const backend = randomBytes(18).toString('base64url');
  /** Every token that the API was shown. */
  const tokens = new Set<string>();

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-credentials-test-'));
    endTurn = await takeTurn(cluster());
    await provideImage(cluster());
    const archive = join(directory, 'credentials.tar');
    await buildCredentialsImage(archive);
    await cluster().loadImage(archive);
    namespace = await cluster().createNamespace('credentials');
    const validity = { now: Date.now(), days: 1 };
    const authority = issueAuthority('Inside', validity);
    vault = new ClusterVault(cluster(), namespace);
    const names = [`vault.${namespace}.svc`, 'localhost', '127.0.0.1'];
    await vault.start(issueServerLeaf(authority, names, validity), authority.cert);
    await vault.put('backend', 'key', backend);
    await installGatehouse(cluster(), [
      'recorder.storage.kind=EmptyDir',
      `vault.address=${vault.address}`,
      `upstreams.caBundle=${authority.cert}`,
    ]);
    await cluster().apply([gateway(namespace)], namespace);
    await cluster().waitFor('mcpgateway/calling', 'Accepted', namespace);
    const api = issueServerLeaf(authority, [apiIn(namespace)], validity);
    await cluster().apply(surroundings(cluster(), namespace, api), namespace);
    await cluster().apply([server(namespace)], namespace);
    for (const pod of ['api', 'ana', 'calling']) await cluster().waitFor(`pod/${pod}`, 'Ready', namespace);
    ana = new Ana(cluster(), namespace);
  }, 1_600_000);

  afterAll(async () => {
    await uninstallGatehouse(cluster());
    await cluster().removeNamespace(namespace);
    for (const name of ['vault-reviews', 'vault-discovers'])
      await cluster().kubectl(['delete', 'clusterrolebinding', `${name}-${namespace}`]);
    rmSync(directory, { recursive: true, force: true });
    endTurn();
  }, 300_000);

  /** Calls the API through the server, under a path that is found again. */
  async function callApi(session: string, path: string): Promise<string> {
    return ana.call(session, 'call', { url: `https://${apiIn(namespace)}/${path}` });
  }

  async function tokenAt(path: string): Promise<string> {
    const lines = (await cluster().logs('api', { namespace }))
      .split('\n')
      .filter((line) => line.startsWith('{'));
    const heard = lines
      .map((line) => apiLine.parse(JSON.parse(line)))
      .filter(({ url }) => url === `/${path}`);
    const token = heard.at(-1)?.authorization.replace('Bearer ', '') ?? '';
    if (token !== '') tokens.add(token);
    return token;
  }

  const inServer = (code: string): Promise<string> =>
    cluster()
      .script('calling', code, { namespace, container: SERVER })
      .then((text) => text.trim());
  const placeholder = (): Promise<string> => inServer('console.log(process.env.API_TOKEN)');

  it('puts a leased token into a call of a server that knows nothing of it', async () => {
    const session = await ana.open();
    const said = await callApi(session, 'first');
    expect(said).toContain('200 heard Bearer ');
    const token = await tokenAt('first');
    expect(token).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await placeholder()).toMatch(/^key_[0-9a-f]{32}$/);
    expect(await vault.leases()).toBe(1);
    await callApi(session, 'again');
    expect(await tokenAt('again')).toBe(token);
    expect(await vault.logins()).toContain('auth/jwt/login');
    expect(await ana.end(session)).toBe(200);
    await eventually(async () => expect(await vault.leases()).toBe(0));
  });

  it('gives each session a token of its own, and takes it back alone', async () => {
    const [one, two] = [await ana.open(), await ana.open()];
    await Promise.all([callApi(one, 'one'), callApi(two, 'two')]);
    const seen = [await tokenAt('one'), await tokenAt('two')];
    expect(new Set(seen).size).toBe(2);
    expect(await vault.leases()).toBe(2);
    await ana.end(one);
    await eventually(async () => expect(await vault.leases()).toBe(1));
    await callApi(two, 'two-again');
    expect(await tokenAt('two-again')).toBe(seen[1]);
    await ana.end(two);
    await eventually(async () => expect(await vault.leases()).toBe(0));
  });

  it('puts nothing into calls that the server makes for nobody, and lets it go nowhere else', async () => {
    const held = await placeholder();
    const get = (host: string, path: string): Promise<string> =>
      inServer(`
        const { request } = await import('node:https');
        const options = { host: '${host}', path: '/${path}', agent: false, headers: { authorization: 'Bearer ${held}' } };
        console.log(await new Promise((resolve) => request(options, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text) => (body += text));
          response.on('end', () => resolve(response.statusCode + ' ' + body));
        }).on('error', (error) => resolve(error.message)).end()));`);
    expect(await get(apiIn(namespace), 'for-nobody')).toMatch(/^409 No caller has a call in flight/);
    expect(await tokenAt('for-nobody')).toBe('');
    for (const host of [
      'kubernetes.default.svc',
      `gatehouse-recorder.${NAMESPACE}.svc`,
      `gatehouse-operator.${NAMESPACE}.svc`,
    ])
      expect(await get(host, '')).toMatch(/alert access denied/);
    expect(await vault.leases()).toBe(0);
  });

  it('puts a header towards the server, which sees it, and its caller does not', async () => {
    const session = await ana.open();
    const digest = createHash('sha256').update(backend).digest('hex');
    expect(await ana.call(session, 'digest', { header: 'x-api-key' })).toContain(digest);
    const shown = await ana.call(session, 'show', {});
    expect(shown).toContain('x-api-key');
    expect(shown).toContain('[REDACTED:known-secret]');
    expect(shown).not.toContain(backend);
    await ana.end(session);
  });

  it('shows a token neither to the server nor to the caller, nor writes it down', async () => {
    const session = await ana.open();
    await callApi(session, 'looked-for');
    await tokenAt('looked-for');
    const held = await placeholder();
    const { found, files, memory } = await lookThrough(cluster(), namespace, [held, ...tokens]);
    // It looks well: what the server does hold is found, in its memory too.
    expect(found[held]).toEqual(expect.arrayContaining(['/proc/1/environ', '/proc/1/mem']));
    expect(Object.keys(found)).toEqual([held]);
    expect(files).toBeGreaterThan(100);
    expect(memory).toBeGreaterThan(1e7);
    await ana.end(session);

    const list = `
      const { readdirSync, readFileSync } = await import('node:fs');
      for (const entry of readdirSync('/var/lib/gatehouse/log', { recursive: true, withFileTypes: true }))
        if (entry.isFile()) process.stdout.write(readFileSync(entry.parentPath + '/' + entry.name));`;
    const record = await eventually(async () => {
      const text = await cluster().script('gatehouse-recorder-0', list, { namespace: NAMESPACE });
      expect(text).toContain('GET /looked-for');
      return text;
    });
    expect(record).toContain('"credential":"api"');
    const logs = await Promise.all([
      cluster().logs('calling', { namespace }),
      cluster().kubectl([
        'logs',
        `--namespace=${NAMESPACE}`,
        '--selector=app.kubernetes.io/name=gatehouse',
        '--tail=-1',
      ]),
    ]);
    for (const value of [...tokens, backend])
      for (const [place, text] of Object.entries({ record, logs: logs.join('\n'), client: ana.heard }))
        expect(text.includes(value), `${place} holds a secret`).toBe(false);
  });

  it('leaves no lease behind when the sidecar is killed, and the server goes on as it was', async () => {
    const trust = await inServer(READ_TRUST);
    const before = { sidecar: await sidecar(), server: await serverContainer() };
    const sessions = [await ana.open(), await ana.open()];
    for (const [index, session] of sessions.entries()) await callApi(session, `killed-${index}`);
    const seen = await Promise.all(sessions.map((_, index) => tokenAt(`killed-${index}`)));
    expect(await vault.leases()).toBe(2);

    const cut = expect(callApi(sessions[0] ?? '', 'slow')).rejects.toThrow();
    await eventually(async () => expect(await tokenAt('slow')).toBe(seen[0]));
    await kill(world(), { namespace, pod: 'calling', container: SIDECAR });
    await cut;
    await eventually(async () => {
      expect(await sidecar()).toMatchObject({ restartCount: before.sidecar.restartCount + 1, ready: true });
    }, 90);
    await eventually(async () => expect(await vault.leases()).toBe(0), 60);

    const session = await ana.open();
    expect(await callApi(session, 'after')).toContain('200 heard Bearer ');
    expect(seen).not.toContain(await tokenAt('after'));
    expect(await serverContainer()).toMatchObject({ restartCount: before.server.restartCount });
    expect(await inServer(READ_TRUST)).toBe(trust);
    await ana.end(session);
    await eventually(async () => expect(await vault.leases()).toBe(0));
  });

  it('logs in by the Kubernetes method once the installation says so, in the same pod', async () => {
    expect(await vault.logins()).not.toContain('auth/kubernetes/login');
    await installGatehouse(cluster(), ['vault.auth.method=kubernetes'], { reuseValues: true });
    await eventually(async () => {
      const session = await ana.open();
      expect(await callApi(session, 'kubernetes')).toContain('200 heard Bearer ');
      await tokenAt('kubernetes');
      await ana.end(session);
      expect(await vault.logins()).toContain('auth/kubernetes/login');
    }, 90);
    await eventually(async () => expect(await vault.leases()).toBe(0));
  });

  it('gives everything back when the pod goes', async () => {
    const sessions = [await ana.open(), await ana.open()];
    for (const [index, session] of sessions.entries()) await callApi(session, `last-${index}`);
    expect(await vault.leases()).toBe(2);
    await cluster().kubectl(['delete', 'pod/calling', `--namespace=${namespace}`]);
    await eventually(async () => expect(await vault.leases()).toBe(0));
    await eventually(async () => expect(await vault.logins()).not.toContain('auth/kubernetes/login'));
  });

  const world = () => ({ cluster: cluster(), namespace, directory });
  const sidecar = () => containerOf(world(), { namespace, pod: 'calling', container: SIDECAR });
  const serverContainer = () => containerOf(world(), { namespace, pod: 'calling', container: SERVER });
}
