/** Admission of pods → the verdict, with the patch that injects. */
import { z } from 'zod';
import { decide, type Surroundings } from './decide.ts';
import { decideEphemeral } from './ephemeral.ts';
import { diff } from './patch.ts';
import { podSchema, type Pod } from './pod.ts';
import type { AdmissionRequest, Verdict } from './review.ts';

/** Written where a container added to a running pod states no user and no gateway answers for the pod any more. */
const DEFAULT_USER = 1000;

export function admitPod(request: AdmissionRequest, around: Omit<Surroundings, 'namespace'>): Verdict {
  const { namespace, operation, subResource } = request;
  const isPod = request.resource.group === '' && request.resource.resource === 'pods';
  if (isPod && operation === 'CREATE' && subResource === undefined)
    return admitNew(request, { ...around, namespace });
  if (isPod && operation === 'UPDATE' && subResource === 'ephemeralcontainers')
    return admitEphemeral(request, around);
  return {
    allowed: false,
    message: `Gatehouse was asked about ${operation} of ${request.resource.resource}, which it does not inject; its webhook configuration is not the chart's.`,
  };
}

function admitNew(request: AdmissionRequest, around: Surroundings): Verdict {
  const pod = readPod(request.object);
  if (typeof pod === 'string') return { allowed: false, message: pod };
  const decision = decide(pod, around);
  switch (decision.kind) {
    case 'refuse':
      return { allowed: false, message: decision.message };
    case 'nothing':
      return { allowed: true };
    case 'inject':
      return { allowed: true, patch: diff(request.object, decision.pod), warnings: decision.warnings };
  }
}

function admitEphemeral(request: AdmissionRequest, around: Omit<Surroundings, 'namespace'>): Verdict {
  const pod = readPod(request.object);
  const before = readPod(request.oldObject);
  if (typeof pod === 'string') return { allowed: false, message: pod };
  if (typeof before === 'string') return { allowed: false, message: before };
  const gateway = around.gatewayFor(request.namespace, before.metadata.labels ?? {});
  const decision = decideEphemeral(pod, before, gateway?.spec.server.runAsUser ?? DEFAULT_USER);
  switch (decision.kind) {
    case 'refuse':
      return { allowed: false, message: decision.message };
    case 'nothing':
      return { allowed: true };
    case 'harden':
      return { allowed: true, patch: diff(request.object, decision.pod) };
  }
}

/** The pod, or a sentence. */
function readPod(value: unknown): Pod | string {
  const read = podSchema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  return `The pod cannot be read at ${z.core.toDotPath(issue?.path ?? [])}: ${issue?.message ?? 'it is no pod'}.`;
}
