/**
 * What of the API is built, and where. A field or value that is written here and not available where the manifest
 * is read is refused with a sentence; it is never accepted and ignored. What is not listed works everywhere.
 */
/**
 * Where manifests are read: by `gatehouse standalone`, by the operator in a cluster, or by `gatehouse try`, which
 * judges messages without a server and therefore takes what either of the others takes.
 */
export type Environment = 'Standalone' | 'Cluster' | 'Try';

/** A field (or one value of it) that is not available everywhere. `[]` in a path stands for any index. */
export interface Limited {
  readonly path: string;
  /** Only these values; without it, whatever the value. */
  readonly values?: readonly string[];
  readonly in: readonly Environment[];
  /** What to do instead; ends the sentence. */
  readonly instead: string;
}

const nowhere: readonly Environment[] = [];
const clusterAlone: readonly Environment[] = ['Cluster', 'Try'];
const standaloneAlone: readonly Environment[] = ['Standalone', 'Try'];

const giveUrl = 'give server.url';
const leaveOut = 'leave it out';

export const limited: Readonly<Record<string, readonly Limited[]>> = {
  McpGateway: [
    { path: 'spec.selector', in: clusterAlone, instead: giveUrl },
    { path: 'spec.server.port', in: clusterAlone, instead: giveUrl },
    { path: 'spec.server.url', in: standaloneAlone, instead: 'give selector and server.port' },
    {
      path: 'spec.server.transport',
      values: ['Stdio'],
      in: standaloneAlone,
      instead: 'use StreamableHTTP or SSE',
    },
    { path: 'spec.server.container', in: clusterAlone, instead: giveUrl },
    { path: 'spec.server.runAsUser', in: clusterAlone, instead: leaveOut },
    { path: 'spec.server.openPorts', in: clusterAlone, instead: leaveOut },
    { path: 'spec.unguarded', in: clusterAlone, instead: leaveOut },
    { path: 'spec.interception', in: clusterAlone, instead: leaveOut },
    { path: 'spec.sidecar.resources', in: clusterAlone, instead: leaveOut },
    { path: 'spec.identity[].serviceAccount', in: clusterAlone, instead: 'use oidc' },
    { path: 'spec.identity[].saml', in: nowhere, instead: 'use oidc' },
    { path: 'spec.identity[].spiffe', in: nowhere, instead: 'use oidc' },
    { path: 'spec.access[].serviceAccounts', in: clusterAlone, instead: 'use users or groups' },
    { path: 'spec.access[].spiffeIds', in: nowhere, instead: 'use users or groups' },
    { path: 'spec.credentials[].source.devFile', in: standaloneAlone, instead: 'use vault' },
  ],
};
