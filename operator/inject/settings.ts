/** What the installation says of every sidecar. */

/** Quantities as Kubernetes writes them, by resource. */
export interface Resources {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

export interface InjectionSettings {
  /** The image that the sidecar and the network container run. */
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** https URLs of the operator's control API and the recorder, as pods reach them. */
  readonly controlUrl: string;
  readonly recorderUrl: string;
  /** Roots that vouch for both, PEM. Part of the pod, because whatever a namespace could edit proves nothing. */
  readonly ca: string;
  /** The only addresses that a guarded pod may ask for names, under Redirect. */
  readonly resolvers: readonly string[];
  /** What `NAME.NAMESPACE.svc` is completed with where these are asked. */
  readonly clusterDomain: string;
  /** What the sidecar listens on: `[::]` for both families, `0.0.0.0` where nodes have no IPv6. */
  readonly listenHost: string;
  readonly resources: Resources;
  /** Makes probe paths that only readers of the pod know, so that nobody else can trigger a lifecycle hook. */
  readonly probeKey: string;
  /** Makes what servers hold instead of secrets, base64, as bundles are compiled with it. Empty until it is known. */
  readonly placeholderKey: string;
  /** The namespace of the installation, where nothing is injected. */
  readonly namespace: string;
}

export const DEFAULT_RESOURCES: Resources = {
  requests: { cpu: '50m', memory: '128Mi' },
  limits: { cpu: '2', memory: '512Mi' },
};
