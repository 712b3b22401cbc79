/** McpGateway and the policies that bind it → its bundle. */
import type { Bundle, IdentityProvider, MaskPolicy, Rule } from '#bundle';
import { objectKey, type McpGateway } from '#crds';
import { NotAccepted, titleOf } from './conditions.ts';
import { compileCredentials } from './credentials.ts';
import type { ClusterIdentity, Installation } from './installation.ts';
import { compileLimits } from './limits.ts';
import { revisionOf } from './revision.ts';
import { compileServer } from './server.ts';
import { compileFirstSeen } from './tools.ts';

/** What of the gateway's surroundings goes into its bundle. */
export interface Surroundings {
  readonly masking: readonly MaskPolicy[];
  readonly rules: readonly Rule[];
  readonly hosts: readonly string[];
}

/** @throws NotAccepted where the gateway asks for what it may not have. */
export function compileGateway(
  gateway: McpGateway,
  around: Surroundings,
  installation: Installation,
): Bundle {
  const { metadata, spec } = gateway;
  holdFloors(gateway, installation);
  const content: Omit<Bundle, 'revision' | 'firstSeen'> = {
    gateway: { namespace: metadata.namespace, name: metadata.name },
    server: compileServer(spec.server),
    mayAsk: spec.server.mayAsk,
    ...(spec.publicUrl !== undefined && { publicUrl: spec.publicUrl }),
    ...(around.hosts.length > 0 && { hosts: [...around.hosts] }),
    identity: spec.identity.map((provider) => compileProvider(gateway, provider, installation.cluster)),
    access: spec.access.map(compileAccess),
    tools: spec.tools,
    ...compileCredentials(gateway, installation),
    masking: [...around.masking],
    rules: [...around.rules],
    recording: { onFailure: spec.recording.onFailure, retentionMs: spec.recording.retention },
    limits: compileLimits(spec.limits, installation.floors.most),
    sealing: [...installation.sealingKeys(objectKey(gateway))],
    hashKey: installation.hashKey,
    logLevel: spec.sidecar.logLevel,
  };
  const firstSeen = compileFirstSeen(gateway, installation.knownTools(objectKey(gateway)));
  return { revision: revisionOf(content), ...content, firstSeen };
}

function holdFloors(gateway: McpGateway, { floors }: Installation): void {
  const { identity, recording } = gateway.spec;
  if (!floors.allowAnonymous && identity.some((provider) => 'anonymous' in provider)) {
    throw new NotAccepted(
      'AnonymousForbidden',
      `${titleOf(gateway)} has an anonymous identity, which this installation forbids; remove it from spec.identity.`,
    );
  }
  if (!floors.allowUnrecorded && recording.onFailure === 'Allow') {
    throw new NotAccepted(
      'UnrecordedForbidden',
      `${titleOf(gateway)} has spec.recording.onFailure: Allow, which this installation forbids; use Block.`,
    );
  }
}

type Provider = McpGateway['spec']['identity'][number];

function compileProvider(
  gateway: McpGateway,
  provider: Provider,
  cluster: ClusterIdentity | undefined,
): IdentityProvider {
  const { name } = provider;
  const own = gateway.spec.publicUrl === undefined ? [] : [gateway.spec.publicUrl];
  if ('anonymous' in provider) return { kind: 'anonymous', name };
  if ('oidc' in provider) {
    const { audiences = own, ...oidc } = provider.oidc;
    return { kind: 'oidc', name, audiences, ...oidc };
  }
  if (cluster === undefined) throw notBuilt(gateway, `identity "${name}"`);
  const { audiences = own } = provider.serviceAccount;
  return { kind: 'serviceAccount', name, audiences, ...cluster };
}

function compileAccess(rule: McpGateway['spec']['access'][number]): Bundle['access'][number] {
  const { users, groups, serviceAccounts, spiffeIds, authenticated, anonymous, ...reach } = rule;
  return { who: { users, groups, serviceAccounts, spiffeIds, authenticated, anonymous }, ...reach };
}

/** Manifests are refused before they come here; this holds for objects that came another way. */
function notBuilt(gateway: McpGateway, what: string): NotAccepted {
  return new NotAccepted(
    'NotBuilt',
    `${titleOf(gateway)} has ${what}, which is of a kind that is not built yet.`,
  );
}
