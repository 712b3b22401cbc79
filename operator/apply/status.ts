/** What the status of each object should say. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Condition, ObjectConditions } from '../compile/index.ts';
import type { SelectedPod } from '../source/kubernetes/guarded-pods.ts';

export interface StatusCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

export interface ObjectStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly StatusCondition[];
  readonly [member: string]: unknown;
}

/** What is known of one gateway's pods. */
export interface GatewayPods {
  readonly answering: readonly SelectedPod[];
  /** Pods that it selects and for which an older gateway answers. */
  readonly taken: readonly SelectedPod[];
  /** Digest of what injection would write into its pods now; `undefined` where that is not known. */
  readonly injection: string | undefined;
}

export interface GatewayStatusInput {
  readonly object: ObjectConditions;
  readonly interception: 'Redirect' | 'Port';
  readonly revision: string | undefined;
  readonly pods: GatewayPods;
  /** Under Port: Services that lead to the server's port by number, past the sidecars. */
  readonly past: readonly string[];
}

type Verdict = Omit<Condition, 'type'> & { readonly type: string };

const MAX_WARNINGS = 64;
const MAX_WARNING = 1024;

/** Everything but times and generation. */
export interface Wanted {
  readonly conditions: readonly Verdict[];
  readonly members: Readonly<Record<string, unknown>>;
}

export function wantedOfGateway(input: GatewayStatusInput): Wanted {
  const { object, pods, revision } = input;
  return {
    conditions: [
      ...object.conditions,
      readyOf(input),
      ...conflictOf(pods),
      ...(input.interception === 'Port' ? NOT_ENFORCED : []),
    ],
    members: {
      pods: countsOf(pods),
      ...(revision !== undefined && { bundle: revision }),
      warnings: [...object.warnings, ...input.past.map(pastSidecar)]
        .slice(0, MAX_WARNINGS)
        .map((text) => text.slice(0, MAX_WARNING)),
    },
  };
}

/** A pod is refused beside such a Service; one that came later is said to be there. */
function pastSidecar(service: string): string {
  return `Service ${service} leads to the server's port by number, past the sidecar; give its targetPort the name of the port, or use interception: Redirect.`;
}

export function wantedOfPolicy(object: ObjectConditions): Wanted {
  const names = object.gateways.map((key) => key.slice(key.indexOf('/') + 1));
  return { conditions: object.conditions, members: { gateways: [...new Set(names)] } };
}

export function countsOf({ answering, injection }: GatewayPods): {
  guarded: number;
  outdated: number;
  unguarded: number;
} {
  const guarded = answering.filter((pod) => pod.guarded);
  const outdated = guarded.filter((pod) => injection !== undefined && pod.injection !== injection);
  return {
    guarded: guarded.length,
    outdated: outdated.length,
    unguarded: answering.length - guarded.length,
  };
}

function readyOf({ object, pods }: GatewayStatusInput): Verdict {
  const no = (reason: string, message: string): Verdict => ({
    type: 'Ready',
    status: 'False',
    reason,
    message,
  });
  const { guarded, unguarded } = countsOf(pods);
  const ready = pods.answering.filter((pod) => pod.guarded && pod.ready).length;
  if (object.conditions.some(({ type, status }) => type === 'Programmed' && status === 'False')) {
    return no('NotProgrammed', 'It has no bundle, so its pods refuse every call.');
  }
  if (unguarded > 0) {
    return no(
      'PodsUnguarded',
      `${String(unguarded)} of its pods run without the sidecar; delete them, so that they are made anew.`,
    );
  }
  if (guarded === 0 && pods.taken.length > 0)
    return no('Conflicted', 'An older gateway answers for all of its pods.');
  if (guarded === 0) return no('NoPods', 'Its selector selects no pod that runs.');
  if (ready === 0) return no('PodsNotReady', 'The sidecar of none of its pods is ready.');
  const message = `${String(ready)} of ${String(guarded)} guarded pods take calls.`;
  return { type: 'Ready', status: 'True', reason: 'Ready', message };
}

function conflictOf({ taken }: GatewayPods): Verdict[] {
  const [first] = taken;
  if (first === undefined) return [];
  const message = `The older gateway ${first.gateway} answers for ${String(taken.length)} of the pods that it selects; change one of the selectors.`;
  return [{ type: 'Conflicted', status: 'True', reason: 'OlderGatewaySelects', message }];
}

/** Section 6 of the design: what interception by port cannot hold. */
const NOT_ENFORCED: readonly Verdict[] = [
  {
    type: 'EgressEnforced',
    status: 'False',
    reason: 'InterceptionPort',
    message: 'Interception Port does not hold what the server sends out; use Redirect.',
  },
  {
    type: 'LoopbackEnforced',
    status: 'False',
    reason: 'InterceptionPort',
    message:
      'Interception Port does not keep exec, port-forward and other containers of the pod from the server.',
  },
];

const present = z.looseObject({
  conditions: z
    .array(z.object({ type: z.string(), status: z.string(), lastTransitionTime: z.string() }))
    .default([]),
});

/** The whole status; a condition that says what it said before keeps its time. */
export function statusOf(
  wanted: Wanted,
  about: { generation: number; now: number; before: unknown },
): ObjectStatus {
  const known = present.safeParse(about.before).data?.conditions ?? [];
  return {
    observedGeneration: about.generation,
    conditions: wanted.conditions.map(({ type, status, reason, message }) => {
      const same = known.find((entry) => entry.type === type && entry.status === status);
      const lastTransitionTime = same?.lastTransitionTime ?? new Date(about.now).toISOString();
      return { type, status, observedGeneration: about.generation, lastTransitionTime, reason, message };
    }),
    ...wanted.members,
  };
}

/** Whether the API server has it so already. The tools of a gateway are written by whoever hears of them. */
export function isWritten(status: ObjectStatus, before: unknown): boolean {
  const entries = Object.entries(typeof before === 'object' && before !== null ? before : {});
  return isDeepStrictEqual(status, Object.fromEntries(entries.filter(([member]) => member !== 'tools')));
}
