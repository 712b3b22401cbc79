/** A gateway's outward side: its policy, its credentials, and what the rest of the proxy does for it. */
import type { Secret } from '../../../lib/secret.ts';
import type { Destination } from '../destination.ts';
import type { Whose, WhoseCall } from '../../session/whose-call.ts';
import type { Dial } from '../dial.ts';
import type { OutboundEvent } from '../event.ts';
import { compileCredential, type CompiledCredential, type OutboundCredential } from './credential.ts';
import type { Placeholders } from './placeholders.ts';
import { compilePolicy, type Policy } from './policy.ts';
import { Upstreams } from './upstreams.ts';

export interface Lease {
  readonly fields: ReadonlyMap<string, Secret>;
  readonly expiresAt: number | undefined;
}

/** What both egresses are passed. */
export interface HttpEgressDeps {
  readonly lend: (credential: string, whose: Whose) => Promise<Lease>;
  /** The upstream refused it: mints again, or throws when that was done just now. */
  readonly replace: (credential: string, whose: Whose, refused: Lease) => Promise<Lease>;
  readonly whoseCall: Pick<WhoseCall, 'ownerOf' | 'onChange'>;
  /** Throws where a call may not go unrecorded and cannot be recorded. */
  readonly record: (event: OutboundEvent) => void;
  readonly now: () => number;
}

export interface EgressSpec {
  /** namespace/name. */
  readonly name: string;
  readonly default: 'Deny' | 'Allow';
  readonly allow: readonly Destination[];
  readonly credentials: readonly OutboundCredential[];
  /** Its processes prove by a token of their own which session they are, and nobody else may use it. */
  readonly ownProcesses: boolean;
}

export interface EgressGateway {
  readonly name: string;
  readonly ownProcesses: boolean;
  readonly policy: Policy;
  readonly credentials: readonly CompiledCredential[];
  /** What its placeholders begin with. */
  readonly prefixes: readonly string[];
  readonly placeholders: Placeholders;
  readonly upstreams: Upstreams;
  readonly deps: HttpEgressDeps;
  close(): void;
}

/** `placeholders` outlives a change of policy: processes that run hold them. */
export function createEgressGateway(
  spec: EgressSpec,
  placeholders: Placeholders,
  dial: Dial,
  deps: HttpEgressDeps,
): EgressGateway {
  const credentials = spec.credentials.map(compileCredential);
  const policy = compilePolicy({ ...spec, gateway: spec.name, credentials });
  const upstreams = new Upstreams(dial, (endpoint) => policy.named(endpoint));
  const standing = credentials.flatMap(({ name, placeholder }) =>
    placeholder === undefined
      ? []
      : [placeholders.add(placeholder.value, { gateway: spec.name, credential: name })],
  );
  const quit = deps.whoseCall.onChange(() => upstreams.release((key) => key.startsWith(SESSION_KEY)));
  return {
    name: spec.name,
    ownProcesses: spec.ownProcesses,
    policy,
    credentials,
    prefixes: [...new Set(credentials.flatMap(({ placeholder }) => placeholder?.prefix ?? []))],
    placeholders,
    upstreams,
    deps,
    close: () => {
      quit();
      for (const remove of standing) remove();
      upstreams.close();
    },
  };
}

const SESSION_KEY = 'session ';

/** Which pool of connections a call uses. */
export function poolKey(owners: readonly Whose[]): string {
  const sessions = owners.flatMap((whose) => (whose === 'pod' ? [] : [whose.session]));
  const [session] = sessions;
  if (session !== undefined) return `${SESSION_KEY}${session}`;
  return owners.length === 0 ? 'nobody' : 'pod';
}
