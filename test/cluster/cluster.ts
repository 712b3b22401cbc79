/** A Kubernetes cluster as tests see it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { CommandFailed, run, type RunOptions } from '../../hack/tools/run.ts';
import { helm, kubernetes } from '../../hack/tools/parts.ts';

export interface ClusterOptions {
  readonly kubeconfig: string;
  /** Image names that pods of this cluster can run. */
  readonly images: ClusterImages;
  /** Brings an archive of an image to the nodes; absent where the cluster pulls images itself. */
  readonly load?: (archive: string) => Promise<void>;
}

export interface ClusterImages {
  /** Gatehouse itself. */
  readonly gatehouse: string;
  /** Node, iptables and nothing else; entry point `node`. */
  readonly node: string;
}

type Manifest = Readonly<Record<string, unknown>>;

const POLL = 250;

export class Cluster {
  readonly kubeconfig: string;
  readonly images: ClusterImages;
  readonly #load: ((archive: string) => Promise<void>) | undefined;

  constructor({ kubeconfig, images, load }: ClusterOptions) {
    this.kubeconfig = kubeconfig;
    this.images = images;
    this.#load = load;
  }

  /** Standard output of kubectl. Rejects with CommandFailed, whose message is what kubectl said. */
  kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const program = kubernetes.isPresent() ? kubernetes.file('kubectl') : 'kubectl';
    return run(program, [`--kubeconfig=${this.kubeconfig}`, ...args], { timeout: 120_000, ...options });
  }

  /** Standard output of helm. Rejects with CommandFailed. */
  helm(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const program = helm.isPresent() ? helm.file('helm') : 'helm';
    const env = { KUBECONFIG: this.kubeconfig };
    return run(program, args, { timeout: 300_000, ...options, env: { ...options.env, ...env } });
  }

  /** Server-side apply of manifests, or of YAML as it is. Rejects with CommandFailed when the API refuses. */
  apply(manifests: string | readonly Manifest[], namespace = 'default'): Promise<string> {
    const input =
      typeof manifests === 'string' ? manifests : manifests.map((one) => stringify(one)).join('---\n');
    return this.kubectl(['apply', '--server-side', `--namespace=${namespace}`, '-f', '-'], { input });
  }

  /** The sentence with which the API refuses manifests; rejects when it takes them. */
  async refusal(manifests: string | readonly Manifest[], namespace = 'default'): Promise<string> {
    try {
      await this.apply(manifests, namespace);
    } catch (error) {
      if (error instanceof CommandFailed) return error.message;
      throw error;
    }
    throw new Error('The API server took what it was to refuse.');
  }

  /** An object of the API, parsed: `cluster.get(podSchema, 'pod/web')`. */
  async get<T>(schema: z.ZodType<T>, object: string, namespace = 'default'): Promise<T> {
    const text = await this.kubectl(['get', object, `--namespace=${namespace}`, '--output=json']);
    return schema.parse(JSON.parse(text));
  }

  /** Waits for a condition, such as `Ready` of `pod/web`. */
  async waitFor(object: string, condition: string, namespace = 'default', seconds = 60): Promise<void> {
    const how = condition.includes('=') ? condition : `condition=${condition}`;
    await this.kubectl(
      ['wait', object, `--for=${how}`, `--namespace=${namespace}`, `--timeout=${seconds}s`],
      {
        timeout: (seconds + 30) * 1000,
      },
    );
  }

  /** Runs a program in a container; resolves with its standard output. */
  exec(
    pod: string,
    command: readonly string[],
    { namespace = 'default', container }: ExecOptions = {},
  ): Promise<string> {
    const where = container === undefined ? [] : [`--container=${container}`];
    return this.kubectl(['exec', pod, `--namespace=${namespace}`, ...where, '--', ...command]);
  }

  /** Runs JavaScript in a container that has `node`; `await` is allowed at its top. */
  script(pod: string, code: string, options: ExecOptions = {}): Promise<string> {
    return this.exec(pod, ['node', '--input-type=module', '--eval', code], options);
  }

  logs(pod: string, { namespace = 'default', container }: ExecOptions = {}): Promise<string> {
    const which = container === undefined ? ['--all-containers'] : [`--container=${container}`];
    return this.kubectl(['logs', pod, `--namespace=${namespace}`, ...which]);
  }

  /** A token of a ServiceAccount for an audience. */
  async token(serviceAccount: string, audience: string, namespace = 'default'): Promise<string> {
    const args = ['create', 'token', serviceAccount, `--audience=${audience}`, `--namespace=${namespace}`];
    return (await this.kubectl(args)).trim();
  }

  /** A namespace of the test's own; remove it, or leave it to the end of the cluster. */
  async createNamespace(prefix: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = `${prefix}-${Math.random().toString(36).slice(2, 8)}`;
    await this.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }]);
    await eventually(() => this.kubectl(['get', 'serviceaccount/default', `--namespace=${name}`]));
    return name;
  }

  async removeNamespace(name: string): Promise<void> {
    await this.kubectl(['delete', 'namespace', name, '--wait=false']);
  }

  /** Brings the archive of an image to the nodes. */
  async loadImage(archive: string): Promise<void> {
    await this.#load?.(archive);
  }
}

export interface ExecOptions {
  readonly namespace?: string;
  readonly container?: string;
}

/** Tries again until it resolves; rejects with the last error when the time is over. */
export async function eventually<T>(attempt: () => Promise<T>, seconds = 30): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(POLL);
    }
  }
}
