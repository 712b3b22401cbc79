import type { Applied } from '../../crds/control.ts';

/** What a proxy last said about a gateway's bundle. */
export interface AppliedBundle extends Applied {
  readonly proxy: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface AppliedBoard {
  note(applied: AppliedBundle): void;
  of(gateway: string): readonly AppliedBundle[];
}

/** Remembers the last word of each proxy on each gateway. */
export function createAppliedBoard(): AppliedBoard {
  const byGateway = new Map<string, Map<string, AppliedBundle>>();
  return {
    note: (applied) => {
      const byProxy = byGateway.get(applied.gateway) ?? new Map<string, AppliedBundle>();
      byProxy.set(applied.proxy, applied);
      byGateway.set(applied.gateway, byProxy);
    },
    of: (gateway) => [...(byGateway.get(gateway)?.values() ?? [])],
  };
}
