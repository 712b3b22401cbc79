/**
 * What a guarded pod is known by. Injection writes it, the status counts it, the control API demands it before it
 * publishes anything, and the admission policies of the chart name it.
 */

/** Pods opt in with this label and the value "true". */
export const INJECT_LABEL = 'gatehouse.dev/inject';

/** The first init container after the network's, with restartPolicy Always. */
export const SIDECAR_CONTAINER = 'gatehouse-proxy';

/** Sets up the network under Redirect, before the sidecar starts. */
export const NETWORK_CONTAINER = 'gatehouse-network';

/** Digest of what was injected; another one than injection would write now makes a pod outdated. Proves nothing. */
export const INJECTION_ANNOTATION = 'gatehouse.dev/injection';

/** The projected volume with the token of the control audience, mounted in the sidecar alone. */
export const TOKEN_VOLUME = 'gatehouse-token';

/** What the app has to trust, where its gateway has egress. */
export const TRUST_VOLUME = 'gatehouse-trust';

/** Credentials that the server reads from files, where its gateway has such. */
export const CREDENTIALS_VOLUME = 'gatehouse-credentials';

/** Names the server's container, where that alone may mount them; the admission policies of the chart read it. */
export const SERVER_ANNOTATION = 'gatehouse.dev/server';

/** Every volume of ours begins so; no other container may mount one but the server's the two above, to read. */
export const VOLUME_PREFIX = 'gatehouse-';

/** User and group that the sidecar alone runs as, which is what the network rules let through. */
export const SIDECAR_UID = 64_311;

/** What the sidecar listens on. */
export const SIDECAR_PORTS = { mcp: 15_000, egress: 15_001, probes: 15_021, metrics: 15_020 } as const;
