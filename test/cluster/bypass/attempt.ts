/** One way around a sidecar, and the two sides on which it is tried. */
import { CommandFailed } from '../../../hack/tools/run.ts';
import type { Cluster } from '../cluster.ts';
import type { Pod } from './pods.ts';

/** The naive pods, or the guarded ones. */
export interface Side {
  readonly kind: 'naive' | 'guarded';
  readonly cluster: Cluster;
  readonly namespace: string;
  /** A client of another namespace, whose pod runs Node. */
  readonly client: { readonly namespace: string; readonly pod: string };
  /** The pod that most attempts aim at. */
  readonly target: string;
  /** Addresses of the target. */
  readonly ips: { readonly v4: string; readonly v6: string | undefined };
  readonly sidecar: {
    readonly container: string;
    readonly token: string;
    readonly volume: string;
    readonly audience: string;
  };
  /** A pod as a user writes it, with what makes its side of it. */
  readonly podNamed: (name: string) => Pod;
  /** Completes the naive side's pod with its sidecar; leaves the guarded side's to the webhook. */
  readonly complete: (pod: Pod) => Pod;
}

export interface Attempt {
  readonly name: string;
  /** How it ended: what a script printed, or `refused: …` with what the API server said. */
  readonly tried: (side: Side) => Promise<string>;
  /** What it gets where nothing but a sidecar stands in its way. */
  readonly naive: string | RegExp;
  readonly guarded: string | RegExp;
}

/** The gateway's own answer to a call without a token. */
export const GATEWAY = /^answered 401 \{"jsonrpc"/;

/** Runs something of the API and gives its refusal as a result. */
export async function orRefusal(what: () => Promise<string>): Promise<string> {
  try {
    return (await what()).trim();
  } catch (error) {
    if (error instanceof CommandFailed) return `refused: ${error.message}`;
    throw error;
  }
}

/** A script in one of the target's containers. */
export function inside(side: Side, container: string, script: string): Promise<string> {
  const { cluster, target, namespace } = side;
  return orRefusal(() => cluster.script(target, script, { namespace, container }));
}

/** A script in the client. */
export function outside({ cluster, client }: Side, script: string): Promise<string> {
  return orRefusal(() => cluster.script(client.pod, script, { namespace: client.namespace }));
}

/** Makes a pod and runs a script in one of its containers; the pod is gone afterwards. */
export async function inNewPod(side: Side, pod: Pod, container: string, script: string): Promise<string> {
  return whileThere(side, pod, (name) =>
    side.cluster.script(name, script, { namespace: side.namespace, container }),
  );
}

/** Pods go slowly, so each gets a name of its own. */
let made = 0;

/**
 * Makes a pod, waits until it is ready and does something with it; the pod is gone afterwards. A plain one comes
 * without what completes it on the naive side.
 */
export async function whileThere(
  side: Side,
  pod: Pod,
  then: (name: string) => Promise<string>,
  as: 'complete' | 'plain' = 'complete',
): Promise<string> {
  const { cluster, namespace } = side;
  made += 1;
  const name = `${pod.metadata.name}-${made}`;
  const unique = { ...pod, metadata: { ...pod.metadata, name } };
  return orRefusal(async () => {
    await cluster.apply([as === 'plain' ? unique : side.complete(unique)], namespace);
    try {
      await cluster.waitFor(`pod/${name}`, 'Ready', namespace);
      return await then(name);
    } finally {
      await cluster.kubectl([
        'delete',
        'pod',
        name,
        `--namespace=${namespace}`,
        '--wait=false',
        '--grace-period=1',
      ]);
    }
  });
}
