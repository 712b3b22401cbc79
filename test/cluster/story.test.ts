/** From `helm install` to `helm uninstall`, as people live through it. Each test goes on where the last one ended. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from './cluster.ts';
import { ownCluster } from './config.ts';
import {
  installGatehouse,
  NAMESPACE,
  provideImage,
  takeTurn,
  testGatehouse,
  uninstallGatehouse,
} from './installation.ts';
import { figuresOf } from './story/figures.ts';
import { buildStoryImage } from './story/image.ts';
import { gatedPod, people, policies, server } from './story/manifests.ts';
import { queryPrometheus } from './story/prometheus.ts';
import {
  asBo,
  call,
  containerOf,
  guardedPod,
  heldCall,
  kill,
  killPods,
  leader,
  metricsOf,
  podsOf,
  sessions,
  type World,
} from './story/world.ts';
import { describeWithCluster } from './suite.ts';

const METRICS = 15_020;
const SIDECAR = 'gatehouse-proxy';
const OPERATORS = 'app.kubernetes.io/component=operator';

describeWithCluster('from helm install to helm uninstall', (cluster) => {
  const figures: string[] = [];
  let world: World;
  let done: () => void = () => undefined;
  let directory: string;
  let installed = false;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-story-test-'));
    done = await takeTurn(cluster());
    const built = await provideImage(cluster());
    if (built !== undefined)
      figures.push(`image without base: ${(built.bytesWithoutBase / 1e6).toFixed(1)} MB`);
    if (ownCluster() !== undefined) {
      const archive = join(directory, 'story.tar');
      await buildStoryImage(archive);
      await cluster().loadImage(archive);
    }
    world = { cluster: cluster(), directory, namespace: await cluster().createNamespace('story') };
  }, 1_600_000);

  afterAll(async () => {
    if (installed) await uninstallGatehouse(cluster());
    await cluster().removeNamespace(world.namespace);
    rmSync(directory, { recursive: true, force: true });
    done();
    console.log(figures.join('\n'));
  }, 300_000);

  const rolledOut = (deployment: string, namespace: string): Promise<string> =>
    cluster().kubectl(['rollout', 'status', deployment, `--namespace=${namespace}`, '--timeout=90s']);
  const scaleOperator = (replicas: number): Promise<string> =>
    cluster().kubectl([
      ...['scale', 'deployment/gatehouse-operator', `--replicas=${replicas}`],
      `--namespace=${NAMESPACE}`,
    ]);

  it('is installed by helm, and tests itself', async () => {
    installed = true;
    await installGatehouse(cluster());
    expect(await testGatehouse(cluster())).toContain('Phase:          Succeeded');
  }, 200_000);

  it('injects the sidecar into a Deployment that a gateway selects', async () => {
    const { namespace } = world;
    await cluster().apply(people(namespace), namespace);
    await cluster().apply(policies(namespace), namespace);
    await cluster().waitFor('mcpgateway/everything', 'Accepted', namespace);
    await cluster().apply(server, namespace);
    await cluster().waitFor('deployment/everything', 'Available', namespace);
    await cluster().waitFor('mcpgateway/everything', 'Ready', namespace);
    await cluster().waitFor('mcpgateway/everything', 'jsonpath={.status.pods.guarded}=1', namespace);
    await cluster().waitFor('pod/triage', 'Ready', namespace);
    figures.push(...(await figuresOf(world)));
  });

  it('lets an agent with a ServiceAccount token call through the Service', async () => {
    expect(await call(world, 'echo', { message: 'hello' })).toBe('Echo: hello');
  });

  it('masks what comes back', async () => {
    const card = ['4111', '1111', '1111', '1111'].join(' ');
    expect(await call(world, 'echo', { message: `paid with ${card}` })).toBe(
      'Echo: paid with [REDACTED:payment-card]',
    );
  });

  it('denies what a rule denies, and what nobody was granted', async () => {
    expect(await call(world, 'get-env', {})).toMatch(/no-environment denies this call/);
    expect(await call(world, 'get-tiny-image', {})).toMatch(/^error: /);
  });

  it('holds a call until somebody else approves it with kubectl', async () => {
    expect(await call(world, 'get-sum', { a: 1, b: 2 })).toContain('3');
    const waiting = call(world, 'get-sum', { a: 4000, b: 2 });
    const id = await heldCall(world);
    expect(await asBo(world, ['approve', id, '--comment', 'a fine sum'])).toContain(`${id} approved`);
    expect(await waiting).toContain('4002');
    await cluster().waitFor(`approvalrequest/${id}`, 'jsonpath={.status.phase}=Consumed', world.namespace);
  });

  it('records all of it in a record that verifies', async () => {
    await eventually(async () => {
      const list = await sessions(world, 'list');
      expect(list).toContain(`${world.namespace}/everything`);
      expect(await sessions(world, 'verify')).toMatch(/verified \d+ records/);
    });
  });

  it('shows its metrics to Prometheus', async () => {
    const pod = await guardedPod(world);
    const [operator] = await podsOf(cluster(), NAMESPACE, OPERATORS);
    const targets = {
      sidecar: [`${pod.status.podIP}:${METRICS}`],
      operator: [`${operator?.status.podIP ?? ''}:8420`],
    };
    for (const addresses of Object.values(targets))
      expect(await metricsOf(world, `http://${addresses.join()}/metrics`)).toContain('gatehouse_');
    const layout = ownCluster();
    if (layout === undefined) return;
    const up = await queryPrometheus(layout, targets, 'up == 1');
    expect(up.map(({ metric }) => metric['job']).sort()).toEqual(['operator', 'sidecar']);
  });

  it('hands the lead over when the leader is killed', async () => {
    const first = await leader(world);
    await kill(world, { namespace: NAMESPACE, pod: first.pod, container: 'operator' });
    // By the other replica, or by the same one started again: whoever is first.
    await eventually(async () => expect((await leader(world)).process).not.toBe(first.process), 60);
    await rolledOut('deployment/gatehouse-operator', NAMESPACE);
  });

  it('goes on with calls when there is no operator', async () => {
    // Injected now, and begun when there is nobody who could tell its sidecar anything.
    await cluster().apply([gatedPod], world.namespace);
    const pods = await podsOf(cluster(), NAMESPACE, OPERATORS);
    await scaleOperator(0);
    await killPods(
      world,
      pods.map(({ metadata }) => metadata.name),
    );
    expect(await podsOf(cluster(), NAMESPACE, OPERATORS)).toEqual([]);
    expect(await call(world, 'echo', { message: 'alone' })).toBe('Echo: alone');
    expect(await call(world, 'get-env', {})).toMatch(/denies this call/);
  });

  // Only on the node itself can a container be killed that nobody may enter.
  it.skipIf(ownCluster() === undefined)(
    'starts a killed sidecar again without the operator, by the policies that were in force',
    async () => {
      const pod = (await guardedPod(world)).metadata.name;
      const sidecar = { namespace: world.namespace, pod, container: SIDECAR };
      const { restartCount } = await containerOf(world, sidecar);
      await kill(world, sidecar);
      await eventually(async () => {
        expect(await containerOf(world, sidecar)).toMatchObject({
          restartCount: restartCount + 1,
          ready: true,
        });
      }, 90);
      expect(await call(world, 'echo', { message: '4111 1111 1111 1111' })).toBe(
        'Echo: [REDACTED:payment-card]',
      );
      expect(await call(world, 'get-env', {})).toMatch(/denies this call/);
    },
  );

  it('keeps a sidecar that was never told anything from being ready', async () => {
    const { namespace } = world;
    const open = '[{"op":"remove","path":"/spec/schedulingGates"}]';
    await cluster().kubectl([
      ...['patch', 'pod/late', '--type=json', `--patch=${open}`],
      `--namespace=${namespace}`,
    ]);
    const sidecar = { namespace, pod: 'late', container: SIDECAR };
    await eventually(async () => {
      expect(await cluster().logs('late', { namespace, container: SIDECAR })).toContain('cannot be reached');
    }, 60);
    expect(await containerOf(world, sidecar)).toMatchObject({ started: false, ready: false });
    expect((await containerOf(world, { ...sidecar, container: 'server' })).state.running).toBeUndefined();
  });

  it('has its operator back', async () => {
    await scaleOperator(2);
    await rolledOut('deployment/gatehouse-operator', NAMESPACE);
    await cluster().waitFor('pod/late', 'Ready', world.namespace);
    await cluster().kubectl(['delete', 'pod/late', `--namespace=${world.namespace}`]);
    expect(await call(world, 'echo', { message: 'together' })).toBe('Echo: together');
  });

  it('is upgraded under running pods', async () => {
    const before = await guardedPod(world);
    await installGatehouse(cluster(), ['operator.logLevel=debug']);
    expect(await call(world, 'echo', { message: 'upgraded' })).toBe('Echo: upgraded');
    expect((await guardedPod(world)).metadata.name).toBe(before.metadata.name);
  });

  it('is uninstalled, which leaves pods running and nothing locked', async () => {
    const before = await guardedPod(world);
    await uninstallGatehouse(cluster());
    installed = false;
    expect((await guardedPod(world)).metadata.name).toBe(before.metadata.name);
    expect(await call(world, 'echo', { message: 'still here' })).toBe('Echo: still here');
    // The policies stay, can be changed, and hold up no new pod.
    await cluster().kubectl(['delete', 'mcpgateway/everything', `--namespace=${world.namespace}`]);
    await cluster().kubectl([
      ...['rollout', 'restart', 'deployment/everything'],
      `--namespace=${world.namespace}`,
    ]);
    await rolledOut('deployment/everything', world.namespace);
  });
});
