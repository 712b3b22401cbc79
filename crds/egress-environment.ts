/** The variables that make a server's clients call outward through the sidecar and trust its CA. Pure. */

/** Files of the directory that the app reads. */
export const TRUST_FILES = {
  /** The pod's CA alone. */
  ca: 'ca.pem',
  /** The CA and the roots of the system. */
  caAndRoots: 'ca-and-roots.pem',
  /** Both for Java, as JKS. */
  javaStore: 'trust.jks',
} as const;

export interface EgressEnvironment {
  /** `http://127.0.0.1:15001`, with `user:password@` where the process proves itself. */
  readonly proxyUrl: string;
  /** Where the trust files lie for the app, without a slash at the end. */
  readonly trustDirectory: string;
  /** Hosts that are not called through the proxy. */
  readonly noProxy: readonly string[];
  /** Values by variable, such as what a server reads its token from. */
  readonly placeholders: Readonly<Record<string, string>>;
  /** What JAVA_TOOL_OPTIONS holds already; ours go behind it. */
  readonly javaToolOptions?: string | undefined;
}

/**
 * Every name is there because some client obeys no other (docs/egress.md). All of them that replace trust get the roots
 * of the system too.
 */
export function environmentFor(given: EgressEnvironment): Readonly<Record<string, string>> {
  const { proxyUrl, trustDirectory, noProxy, placeholders } = given;
  const bundle = `${trustDirectory}/${TRUST_FILES.caAndRoots}`;
  const except = noProxy.join(',');
  return {
    HTTP_PROXY: proxyUrl,
    http_proxy: proxyUrl,
    HTTPS_PROXY: proxyUrl,
    https_proxy: proxyUrl,
    NO_PROXY: except,
    no_proxy: except,
    // Node 22 and 24 heed the proxy variables only then.
    NODE_USE_ENV_PROXY: '1',
    NODE_EXTRA_CA_CERTS: `${trustDirectory}/${TRUST_FILES.ca}`,
    SSL_CERT_FILE: bundle,
    REQUESTS_CA_BUNDLE: bundle,
    CURL_CA_BUNDLE: bundle,
    GIT_SSL_CAINFO: bundle,
    AWS_CA_BUNDLE: bundle,
    JAVA_TOOL_OPTIONS: [given.javaToolOptions, ...javaOptions(given)].filter(Boolean).join(' '),
    ...placeholders,
  };
}

/** Java reads no variable for a proxy, and takes no password for one on its command line. */
function javaOptions({ proxyUrl, trustDirectory, noProxy }: EgressEnvironment): string[] {
  const { hostname, port } = new URL(proxyUrl);
  return [
    `-Dhttp.proxyHost=${hostname}`,
    `-Dhttp.proxyPort=${port}`,
    `-Dhttps.proxyHost=${hostname}`,
    `-Dhttps.proxyPort=${port}`,
    `-Dhttp.nonProxyHosts=${noProxy.join('|')}`,
    `-Djavax.net.ssl.trustStore=${trustDirectory}/${TRUST_FILES.javaStore}`,
    '-Djavax.net.ssl.trustStoreType=JKS',
    '-Djavax.net.ssl.trustStorePassword=changeit',
  ];
}
