/** spec.limits, lowered to what the installation allows. */
import type { Limits } from '#bundle';
import type { McpGateway } from '#crds';
import type { Floors } from './installation.ts';

type LimitsSpec = McpGateway['spec']['limits'];

export function compileLimits(spec: LimitsSpec, most: Floors['most']): Limits {
  const asked = askedLimits(spec);
  return {
    maxBodyBytes: Math.min(asked.maxBodyBytes, most.maxBodyBytes ?? Infinity),
    callTimeoutMs: Math.min(asked.callTimeoutMs, most.callTimeoutMs ?? Infinity),
    sessionIdleMs: Math.min(asked.sessionIdleMs, most.sessionIdleMs ?? Infinity),
    callsPerMinute: Math.min(asked.callsPerMinute, most.callsPerMinute ?? Infinity),
    leases: Math.min(asked.leases, most.leases ?? Infinity),
    leasesPerMinute: Math.min(asked.leasesPerMinute, most.leasesPerMinute ?? Infinity),
  };
}

/** Whether the installation allows less than the gateway asks for. */
export function limitsAreLowered(spec: LimitsSpec, most: Floors['most']): boolean {
  const asked = askedLimits(spec);
  const given = compileLimits(spec, most);
  return (
    given.maxBodyBytes < asked.maxBodyBytes ||
    given.callTimeoutMs < asked.callTimeoutMs ||
    given.sessionIdleMs < asked.sessionIdleMs ||
    given.callsPerMinute < asked.callsPerMinute ||
    given.leases < asked.leases ||
    given.leasesPerMinute < asked.leasesPerMinute
  );
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
