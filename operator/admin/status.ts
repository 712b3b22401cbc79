/** What GET /v1/status and /readyz say, put together from what the parts know. Pure. */
import { gatewayName, type Bundle } from '../../crds/bundle.ts';
import type { ObjectConditions } from '../compile/conditions.ts';
import type { AppliedBundle } from '../publish/applied-board.ts';

/** A process beside the operator: the recorder, the proxy. */
export interface ProcessStatus {
  readonly name: string;
  readonly running: boolean;
  /** Where it listens, once it said so. */
  readonly url?: string | undefined;
  readonly restarts: number;
}

export interface GatewayStatus {
  readonly name: string;
  /** Of the bundle in force. */
  readonly revision: string;
  /** What each proxy last said of this gateway. */
  readonly applied: readonly { proxy: string; revision: string; at: string; error?: string }[];
}

export interface Status {
  readonly ready: boolean;
  /** Why it is not ready, a sentence each. */
  readonly reasons: readonly string[];
  readonly gateways: readonly GatewayStatus[];
  readonly objects: readonly ObjectConditions[];
  /** What is wrong with the last edit; it is not in force while there is anything here. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly processes: readonly ProcessStatus[];
}

export interface StatusInput {
  readonly bundles: readonly Bundle[] | undefined;
  readonly appliedTo: (gateway: string) => readonly AppliedBundle[];
  readonly objects: readonly ObjectConditions[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly processes: readonly ProcessStatus[];
}

export function statusOf(input: StatusInput): Status {
  const gateways = (input.bundles ?? []).map((bundle) => gatewayStatus(bundle, input.appliedTo));
  const reasons = [
    ...(input.bundles === undefined ? ['No manifests are in force yet.'] : []),
    ...input.processes.filter(({ running }) => !running).map(({ name }) => `The ${name} is not running.`),
    // Where proxies are pods, they come and go, and each says by itself whether it is ready.
    ...(input.processes.length === 0 ? [] : gateways.flatMap(reasonsOf)),
  ];
  const { objects, problems, warnings, processes } = input;
  return { ready: reasons.length === 0, reasons, gateways, objects, problems, warnings, processes };
}

function gatewayStatus(bundle: Bundle, appliedTo: StatusInput['appliedTo']): GatewayStatus {
  const name = gatewayName(bundle.gateway);
  const applied = appliedTo(name).map(({ proxy, revision, at, error }) => ({
    proxy,
    revision,
    at: new Date(at).toISOString(),
    ...(error !== undefined && { error }),
  }));
  return { name, revision: bundle.revision, applied };
}

function reasonsOf({ name, revision, applied }: GatewayStatus): string[] {
  const current = applied.find((entry) => entry.revision === revision);
  if (current === undefined) return [`No proxy has applied the bundle in force of the gateway ${name}.`];
  return current.error === undefined
    ? []
    : [`The gateway ${name} could not be put in force: ${current.error}`];
}
