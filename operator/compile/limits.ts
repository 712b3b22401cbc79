/** spec.limits, lowered to what the installation allows. */
import type { Limits } from '#bundle';
import type { McpGateway } from '#crds';
import type { Floors } from './installation.ts';

type LimitsSpec = McpGateway['spec']['limits'];

export function compileLimits(spec: LimitsSpec, most: Floors['most']): Limits {
  const given = askedLimits(spec);
  for (const name of names(given)) given[name] = Math.min(given[name], most[name] ?? Infinity);
  return given;
}

/** Whether the installation allows less than the gateway asks for. */
export function limitsAreLowered(spec: LimitsSpec, most: Floors['most']): boolean {
  const asked = askedLimits(spec);
  return names(asked).some((name) => asked[name] > (most[name] ?? Infinity));
}

function names(limits: Limits): (keyof Limits)[] {
  return Object.keys(limits) as (keyof Limits)[];
}

function askedLimits(spec: LimitsSpec): Limits {
  return {
    maxBodyBytes: spec.maxBodyBytes,
    callTimeoutMs: spec.callTimeout,
    sessionIdleMs: spec.sessionIdle,
    callsPerMinute: spec.callsPerMinute,
    leases: spec.leases,
    leasesPerMinute: spec.leasesPerMinute,
  };
}
