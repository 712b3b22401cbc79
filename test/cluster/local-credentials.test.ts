/**
 * Credentials that stay inside of a pod, on real ones: a database that the published MCP server for PostgreSQL reaches by
 * way of the sidecar, and a file. Vault and PostgreSQL are real, and Services of the cluster. Each test goes on where the
 * last one ended.
 */
import { createHash, createPublicKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { startPostgres, whyNoPostgres, type Postgres } from '../fixtures/postgres.ts';
import { connectDatabase, JWT_ROLE, startVault, whyNoVault, type TestVault } from '../fixtures/vault.ts';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { eventually, type Cluster } from './cluster.ts';
import { ownCluster } from './config.ts';
import { installGatehouse, provideImage, takeTurn, uninstallGatehouse } from './installation.ts';
import { buildOrdersImage } from './local-credentials/image.ts';
import {
  callCommand,
  DATABASE_PORT,
  debugContainer,
  gateway,
  HELPER_USER,
  people,
  server,
} from './local-credentials/manifests.ts';
import { portForward } from './local-credentials/port-forward.ts';
import { databaseOverTls, fileAsSeen, whoAnswers } from './local-credentials/scripts.ts';
import { serveOnNode, type NodeService } from './node-services.ts';
import { containerOf, kill, podsOf, type World } from './story/world.ts';
import { describeWithCluster } from './suite.ts';

const FILE = '/var/run/secrets/gatehouse-credentials/licence';
const TRUST = '/var/run/gatehouse-trust/ca.pem';
const OTHER_PORT = 5433;
const SIDECAR = 'gatehouse-proxy';
const THE_GATEWAY = /^HTTP\/1\.1 400 /;

const answer = z.union([
  z.object({ content: z.array(z.looseObject({ text: z.string() })) }),
  z.object({ error: z.string() }),
]);
const jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

const missing =
  whyNoPostgres() ??
  whyNoVault() ??
  (ownCluster() === undefined ? 'needs a cluster of this machine' : undefined);

describeUnless(missing, 'credentials that stay in a pod', () => {
  describeWithCluster('on real pods', (cluster) => {
    let world: World;
    let done: () => void = () => undefined;
    let postgres: Postgres;
    let vault: TestVault;
    const services: NodeService[] = [];
    let licence = '';
    let usersBefore = '';

    beforeAll(async () => {
      done = await takeTurn(cluster());
      const directory = mkdtempSync(join(tmpdir(), 'gatehouse-local-credentials-'));
      const namespace = await cluster().createNamespace('local');
      world = { cluster: cluster(), directory, namespace };
      await provideImage(cluster());
      await buildOrdersImage(join(directory, 'orders.tar'));
      await cluster().loadImage(join(directory, 'orders.tar'));

      postgres = await startPostgres([`database.${namespace}.svc`]);
      vault = await startVault([`vault.${namespace}.svc`]);
      await postgres.query('CREATE TABLE orders (n int); INSERT INTO orders VALUES (42)');
      await connectDatabase(vault, postgres);
      await vault.api('POST', 'auth/jwt/config', { jwt_validation_pubkeys: await keysOf(cluster()) });
      const subject = `system:serviceaccount:${namespace}:orders`;
      await vault.api('POST', 'auth/jwt/role/orders', { ...JWT_ROLE, bound_subject: subject });
      await writeLicence();
      usersBefore = await users();

      for (const [name, port] of [
        ['database', postgres.port],
        ['vault', Number(new URL(vault.address).port)],
      ] as const)
        services.push(await lend(name, port));
      await cluster().apply(
        services.flatMap(({ manifests }) => manifests),
        namespace,
      );
      await installGatehouse(cluster(), [
        'recorder.storage.kind=EmptyDir',
        `vault.address=https://vault.${namespace}.svc:${new URL(vault.address).port}`,
        `vault.caBundle=${vault.ca}`,
      ]);
    }, 1_600_000);

    afterAll(async () => {
      await cluster().kubectl(['delete', 'namespace', world.namespace, '--wait=true']);
      await uninstallGatehouse(cluster());
      for (const service of services) await service[Symbol.asyncDispose]();
      await vault[Symbol.asyncDispose]();
      await postgres[Symbol.asyncDispose]();
      rmSync(world.directory, { recursive: true, force: true });
      done();
    }, 300_000);

    async function lend(name: string, port: number): Promise<NodeService> {
      const layout = ownCluster();
      if (layout === undefined) throw new Error('This cluster is not of this machine.');
      return serveOnNode(layout, name, port);
    }

    async function writeLicence(): Promise<void> {
      licence = randomBytes(15).toString('hex');
      await vault.api('POST', 'kv/data/licence', { data: { key: licence } });
    }

    const users = (): Promise<string> => postgres.query('SELECT rolname FROM pg_roles ORDER BY 1');
    const minted = async (): Promise<string[]> => {
      const before = new Set(usersBefore.split('\n'));
      return (await users()).split('\n').filter((name) => !before.has(name));
    };

    async function call(tool: string, args: object = {}): Promise<string> {
      const command = callCommand(world.namespace, tool, args);
      const printed = await cluster().exec('triage', command, { namespace: world.namespace });
      const said = answer.parse(JSON.parse(printed));
      return 'error' in said ? `error: ${said.error}` : said.content.map(({ text }) => text).join('\n');
    }

    async function podName(): Promise<string> {
      const [pod] = await podsOf(cluster(), world.namespace, 'app=orders');
      if (pod === undefined) throw new Error('The Deployment has no pod.');
      return pod.metadata.name;
    }

    const inContainer = async (container: string, script: string): Promise<string> =>
      (await cluster().script(await podName(), script, { namespace: world.namespace, container })).trim();

    const shown = (): string => {
      const digest = createHash('sha256').update(`key=${licence}`).digest('hex');
      return `${digest} key=[REDACTED:known-secret]`;
    };

    it('makes a pod ready whose server has both', async () => {
      const { namespace } = world;
      await cluster().apply(people(namespace), namespace);
      const upstream = `database.${namespace}.svc:${postgres.port}`;
      await cluster().apply([gateway(namespace, { upstream, caBundle: postgres.ca })], namespace);
      await cluster().waitFor('mcpgateway/orders', 'Accepted', namespace);
      await cluster().apply(server, namespace);
      await cluster().waitFor('deployment/orders', 'Available', namespace, 120);
      await cluster().waitFor('pod/triage', 'Ready', namespace);
      expect(await minted()).toEqual([]);
    }, 240_000);

    it('lends the server a login of the database that its caller never sees', async () => {
      expect(await call('query', { sql: 'SELECT n FROM orders' })).toContain('42');
      const [user = 'none', ...others] = await minted();
      expect(others).toEqual([]);
      const said = await call('query', { sql: 'SELECT session_user::text AS who' });
      expect(said).toContain('who');
      expect(said).not.toContain(user);
      expect(await call('query', { sql: 'DELETE FROM orders' })).toContain('read-only');
    });

    it('gives the login back when the session is over, and makes another for the next', async () => {
      await expect.poll(minted, { timeout: 60_000, interval: 500 }).toEqual([]);
      expect(await call('query', { sql: 'SELECT n FROM orders' })).toContain('42');
      expect(await minted()).toHaveLength(1);
    });

    it('lets the server read its licence, and nobody who calls it', async () => {
      expect(await call('licence')).toBe(shown());
    });

    it('keeps the file from being changed by the server, which is another user than its writer', async () => {
      expect(JSON.parse(await inContainer('server', fileAsSeen(FILE)))).toEqual({
        ...{ mode: '644', uid: 64_311, names: ['licence'] },
        ...{ over: 'EROFS', beside: 'EROFS', remove: 'EROFS', rename: 'EROFS' },
      });
    });

    it('keeps the file from other containers, and from those for debugging', async () => {
      const script = `import { existsSync } from 'node:fs'; console.log(existsSync('${FILE}'))`;
      expect(await inContainer('helper', script)).toBe('false');
      const volumeMounts = [{ name: 'gatehouse-credentials', mountPath: '/c', readOnly: true }];
      await expect(debug(debugContainer('reading', { volumeMounts }))).rejects.toThrow(
        'mounts gatehouse-credentials',
      );
    });

    it('is a database for the server alone: for no other user of the pod', async () => {
      expect(await inContainer('server', whoAnswers(DATABASE_PORT))).toBe('database');
      expect(await inContainer('helper', whoAnswers(DATABASE_PORT))).toMatch(THE_GATEWAY);
      await debug(debugContainer('stranger', { securityContext: { runAsUser: HELPER_USER + 1 } }));
      await eventually(async () => {
        expect(await inContainer('stranger', whoAnswers(DATABASE_PORT))).toMatch(THE_GATEWAY);
      }, 60);
    });

    it('is no database for port-forward', async () => {
      await using forwarded = await portForward(world, await podName(), DATABASE_PORT);
      expect(await forwarded.answerToSslRequest()).toMatch(THE_GATEWAY);
    });

    it('opens no port that the pod was not made for, and says that the pod is outdated', async () => {
      const listenOn = (port: number): Promise<string> => {
        const path = '/spec/credentials/0/inject/postgres/listen';
        return cluster().kubectl([
          ...['patch', 'mcpgateway/orders', '--type=json', `--namespace=${world.namespace}`],
          `--patch=${JSON.stringify([{ op: 'replace', path, value: port }])}`,
        ]);
      };
      const sidecar = { namespace: world.namespace, container: SIDECAR };
      await listenOn(OTHER_PORT);
      await cluster().waitFor('mcpgateway/orders', 'jsonpath={.status.pods.outdated}=1', world.namespace);
      await eventually(async () => {
        expect(await cluster().logs(await podName(), sidecar)).toContain('was made before its gateway had');
        expect(await inContainer('server', whoAnswers(DATABASE_PORT))).toBe('ECONNREFUSED');
      });
      expect(await inContainer('server', whoAnswers(OTHER_PORT))).toBe('ECONNREFUSED');
      await listenOn(DATABASE_PORT);
      await cluster().waitFor('mcpgateway/orders', 'jsonpath={.status.pods.outdated}=0', world.namespace);
      await eventually(async () => {
        expect(await call('query', { sql: 'SELECT n FROM orders' })).toContain('42');
      });
    });

    it('follows a new version of the licence', async () => {
      const before = shown();
      expect(await call('licence')).toBe(before);
      await writeLicence();
      await expect.poll(() => call('licence'), { timeout: 100_000, interval: 2_000 }).toBe(shown());
    });

    it('comes back after a kill with nothing left of before, and with the trust of the app', async () => {
      const trust = await inContainer('server', databaseOverTls(DATABASE_PORT, TRUST));
      expect(await call('query', { sql: 'SELECT n FROM orders' })).toContain('42');
      const before = await minted();
      expect(before.length).toBeGreaterThan(0);
      const sidecar = { namespace: world.namespace, pod: await podName(), container: SIDECAR };
      const { restartCount } = await containerOf(world, sidecar);
      await kill(world, sidecar);
      await eventually(async () => {
        const now = await containerOf(world, sidecar);
        expect(now).toMatchObject({ restartCount: restartCount + 1, ready: true });
      }, 90);
      await expect
        .poll(minted, { timeout: 30_000, interval: 250 })
        .not.toEqual(expect.arrayContaining(before));
      await eventually(async () => {
        expect(await call('query', { sql: 'SELECT n FROM orders' })).toContain('42');
      });
      for (const user of before) expect(await minted()).not.toContain(user);
      expect(await inContainer('server', databaseOverTls(DATABASE_PORT, TRUST))).toBe(trust);
      expect(await call('licence')).toBe(shown());
    });

    it('leaves no user in the database when the pod ends', async () => {
      expect(await call('query', { sql: 'SELECT n FROM orders' })).toContain('42');
      expect(await minted()).not.toEqual([]);
      await cluster().kubectl([
        'scale',
        'deployment/orders',
        '--replicas=0',
        `--namespace=${world.namespace}`,
      ]);
      await expect.poll(minted, { timeout: 60_000, interval: 500 }).toEqual([]);
      expect(await vault.leases('database/creds/ro')).toEqual([]);
    });

    async function debug(container: object): Promise<string> {
      const patch = JSON.stringify({ spec: { ephemeralContainers: [container] } });
      return cluster().kubectl([
        ...['patch', `pod/${await podName()}`, '--subresource=ephemeralcontainers', '--type=strategic'],
        ...[`--patch=${patch}`, `--namespace=${world.namespace}`],
      ]);
    }
  });
});

/** What the cluster signs the tokens of its pods with, PEM. */
async function keysOf(cluster: Cluster): Promise<string[]> {
  const { keys } = jwks.parse(JSON.parse(await cluster.kubectl(['get', '--raw', '/openid/v1/jwks'])));
  return keys.map((key) =>
    createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString(),
  );
}
