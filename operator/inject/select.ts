/** Which gateway answers for a pod: the oldest of those that select it. */
import { selects, type McpGateway } from '#crds';

/** A gateway with the age that decides between two. */
export interface Candidate {
  readonly gateway: McpGateway;
  /** ISO 8601, as the API server writes it. */
  readonly createdAt: string;
}

/** Undefined where no gateway of the namespace selects such a pod. */
export function answeringGateway(
  candidates: readonly Candidate[],
  namespace: string,
  labels: Readonly<Record<string, string>>,
): McpGateway | undefined {
  const [oldest] = candidates
    .filter(({ gateway }) => gateway.metadata.namespace === namespace && selectsPod(gateway, labels))
    .sort(byAge);
  return oldest?.gateway;
}

export function selectsPod(gateway: McpGateway, labels: Readonly<Record<string, string>>): boolean {
  const { selector } = gateway.spec;
  return selector !== undefined && selects(selector, labels);
}

/** Names decide where two were created in the same second, so that every replica decides alike. */
function byAge(a: Candidate, b: Candidate): number {
  return compare(a.createdAt, b.createdAt) || compare(a.gateway.metadata.name, b.gateway.metadata.name);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
