/** The image, as pods run it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { buildGatehouseImage } from '../../hack/image/build.ts';
import { ownCluster } from './config.ts';
import { describeWithCluster } from './suite.ts';

const HARDENED = {
  runAsNonRoot: true,
  readOnlyRootFilesystem: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

const finished = z.object({
  status: z.object({
    containerStatuses: z.array(
      z.object({ state: z.object({ terminated: z.object({ exitCode: z.number() }) }) }),
    ),
  }),
});

describeWithCluster('the image', (cluster) => {
  let directory: string;
  let namespace: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-image-test-'));
    if (ownCluster() !== undefined) {
      const archive = join(directory, 'image.tar');
      await buildGatehouseImage({ reference: cluster().images.gatehouse, archive });
      await cluster().loadImage(archive);
    }
    namespace = await cluster().createNamespace('image', {
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
  }, 120_000);

  afterAll(async () => {
    rmSync(directory, { recursive: true, force: true });
    await cluster().removeNamespace(namespace);
  });

  const run = async (
    name: string,
    container: object,
  ): Promise<{ code: number | undefined; logs: string }> => {
    const image = cluster().images.gatehouse;
    await cluster().apply(
      [
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name },
          spec: {
            restartPolicy: 'Never',
            containers: [
              {
                name: 'gatehouse',
                image,
                imagePullPolicy: 'IfNotPresent',
                securityContext: HARDENED,
                ...container,
              },
            ],
          },
        },
      ],
      namespace,
    );
    await cluster().waitFor(
      `pod/${name}`,
      'jsonpath={.status.containerStatuses[0].state.terminated}',
      namespace,
    );
    const pod = await cluster().get(finished, `pod/${name}`, namespace);
    return {
      code: pod.status.containerStatuses[0]?.state.terminated.exitCode,
      logs: await cluster().logs(name, { namespace }),
    };
  };

  it('says what it can do, as a user without rights on a file system that it cannot write', async () => {
    const { code, logs } = await run('help', { args: ['--help'] });
    expect(logs).toContain('proxy');
    expect(code).toBe(0);
  });

  it('is the command gatehouse too', async () => {
    const { code, logs } = await run('command', { command: ['gatehouse', 'recorder', '--help'] });
    expect(logs).toContain('Usage: gatehouse recorder');
    expect(code).toBe(0);
  });

  // A given cluster may run an image that another Node built.
  it.skipIf(ownCluster() === undefined)('reads what was compiled when it was built', async () => {
    const { logs } = await run('compiled', {
      args: ['net-init', '--server-port', '8080', '--dns', '10.96.0.10', '--print'],
      env: [{ name: 'NODE_DEBUG_NATIVE', value: 'COMPILE_CACHE' }],
    });
    expect(logs).toMatch(/main\.mjs was accepted/);
    expect(logs).toMatch(/net-init-\w+\.mjs was accepted/);
    expect(logs).not.toContain('was rejected');
  });

  it('runs as the user that the network rules exempt', async () => {
    const { logs } = await run('user', {
      command: ['node', '--print', 'JSON.stringify([process.getuid(), process.getgid()])'],
    });
    expect(JSON.parse(logs)).toEqual([64311, 64311]);
  });

  it('names the setting that a proxy is missing', async () => {
    const { code, logs } = await run('proxy', { args: ['proxy'] });
    expect(logs).toContain('GATEHOUSE_CONTROL_URL');
    expect(code).toBe(2);
  });
});
