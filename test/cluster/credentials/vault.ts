/** A Vault in the cluster, set up by its own CLI as docs/credentials.md says. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { KUBERNETES_AUTH, vaultKubernetes } from '../../../hack/tools/parts.ts';
import { CommandFailed } from '../../../hack/tools/run.ts';
import type { KeyPair } from '../../../lib/certificates.ts';
import { eventually, type Cluster } from '../cluster.ts';
import { CREDENTIALS_IMAGE, PLUGINS, VAULT_PROGRAM } from './image.ts';

type Manifest = Readonly<Record<string, unknown>>;

const AUDIENCE = 'gatehouse-vault';
const CLUSTER_CA = '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt';
const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const ROLE = 'mcp';

const POLICY = `
path "ssh/creds/api"       { capabilities = ["update"] }
path "kv/data/backend"     { capabilities = ["read"] }
path "sys/leases/revoke"   { capabilities = ["update"] }
`;

const CONFIGURATION = `
disable_mlock = true
api_addr = "https://127.0.0.1:8200"
plugin_directory = "${PLUGINS}"
storage "inmem" {}
listener "tcp" {
  address = "0.0.0.0:8200"
  tls_cert_file = "/tls/tls.crt"
  tls_key_file = "/tls/tls.key"
}
`;

export class ClusterVault {
  readonly #cluster: Cluster;
  readonly #namespace: string;

  constructor(cluster: Cluster, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
  }

  get address(): string {
    return `https://vault.${this.#namespace}.svc:8200`;
  }

  /** `identity` is for its Service's name, `ca` what vouches for it. */
  async start(identity: KeyPair, ca: string): Promise<void> {
    const namespace = this.#namespace;
    await this.#cluster.apply(manifests(namespace, identity, ca), namespace);
    await this.#cluster.waitFor('pod/vault', 'Ready', namespace);
    const keys = z
      .object({ unseal_keys_b64: z.tuple([z.string()]), root_token: z.string() })
      .parse(
        JSON.parse(
          await eventually(() =>
            this.run('operator', 'init', '-key-shares=1', '-key-threshold=1', '-format=json'),
          ),
        ),
      );
    await this.run('operator', 'unseal', keys.unseal_keys_b64[0]);
    await eventually(() => this.#given(keys.root_token, 'login', '-no-print', '-'));
    await this.#given(POLICY, 'policy', 'write', ROLE, '-');
    await this.run('secrets', 'enable', '-version=2', 'kv');
    await this.run('secrets', 'enable', '-default-lease-ttl=1h', 'ssh');
    await this.run('write', 'ssh/roles/api', 'key_type=otp', 'default_user=app', 'cidr_list=0.0.0.0/0');
    await this.#logInByJwt();
    await this.#logInByKubernetes();
  }

  /** A secret of KV. */
  async put(path: string, field: string, value: string): Promise<void> {
    await this.#given(value, 'kv', 'put', `kv/${path}`, `${field}=-`);
  }

  /** How many one-time passwords are lent. */
  async leases(): Promise<number> {
    return (await this.#list('sys/leases/lookup/ssh/creds/api')).length;
  }

  /** By which auth methods those came in who hold a token. */
  async logins(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const accessor of await this.#list('auth/token/accessors')) {
      const text = await this.run('token', 'lookup', '-format=json', '-accessor', accessor).catch(
        () => undefined,
      );
      if (text !== undefined)
        found.push(z.object({ data: z.object({ path: z.string() }) }).parse(JSON.parse(text)).data.path);
    }
    return found;
  }

  /** `vault ARGS`; its standard output. */
  run(...args: readonly string[]): Promise<string> {
    return this.#cluster.exec('vault', [VAULT_PROGRAM, ...args], { namespace: this.#namespace });
  }

  async #logInByJwt(): Promise<void> {
    await this.run('auth', 'enable', 'jwt');
    await this.run(
      'write',
      'auth/jwt/config',
      `oidc_discovery_url=${ISSUER}`,
      `oidc_discovery_ca_pem=@${CLUSTER_CA}`,
    );
    await this.run(
      ...['write', `auth/jwt/role/${ROLE}`, 'role_type=jwt', 'user_claim=sub', `bound_audiences=${AUDIENCE}`],
      ...[`bound_subject=system:serviceaccount:${this.#namespace}:calling`, `token_policies=${ROLE}`],
      'token_ttl=1h',
    );
  }

  async #logInByKubernetes(): Promise<void> {
    const sha256 = createHash('sha256')
      .update(readFileSync(vaultKubernetes.file(KUBERNETES_AUTH)))
      .digest('hex');
    await this.run(
      'plugin',
      'register',
      `-sha256=${sha256}`,
      `-command=${KUBERNETES_AUTH}`,
      'auth',
      'kubernetes',
    );
    await this.run('auth', 'enable', 'kubernetes');
    await this.run('write', 'auth/kubernetes/config', 'kubernetes_host=https://kubernetes.default.svc');
    await this.run(
      ...['write', `auth/kubernetes/role/${ROLE}`, 'bound_service_account_names=calling'],
      ...[`bound_service_account_namespaces=${this.#namespace}`, `audience=${AUDIENCE}`],
      ...[`token_policies=${ROLE}`, 'token_ttl=1h'],
    );
  }

  #given(input: string, ...args: readonly string[]): Promise<string> {
    const command = ['exec', '-i', 'vault', `--namespace=${this.#namespace}`, '--', VAULT_PROGRAM, ...args];
    return this.#cluster.kubectl(command, { input });
  }

  async #list(path: string): Promise<readonly string[]> {
    try {
      return z.array(z.string()).parse(JSON.parse(await this.run('list', '-format=json', path)));
    } catch (error) {
      // What is empty has no list, and is an exit code.
      if (error instanceof CommandFailed && /status 2|exit code 2/.test(error.message)) return [];
      throw error;
    }
  }
}

function manifests(namespace: string, { cert, key }: KeyPair, ca: string): readonly Manifest[] {
  const bound = (name: string, role: string, subject: Manifest): Manifest => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `${name}-${namespace}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [subject],
  });
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'vault' } },
    // Vault asks whose tokens are by TokenReview, and reads the keys of the issuer as anybody may.
    bound('vault-reviews', 'system:auth-delegator', { kind: 'ServiceAccount', name: 'vault', namespace }),
    bound('vault-discovers', 'system:service-account-issuer-discovery', {
      kind: 'Group',
      apiGroup: 'rbac.authorization.k8s.io',
      name: 'system:unauthenticated',
    }),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'vault-tls' },
      stringData: { 'tls.crt': cert, 'tls.key': key, 'ca.crt': ca },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'vault' },
      data: { 'vault.hcl': CONFIGURATION },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'vault' },
      spec: { selector: { app: 'vault' }, ports: [{ port: 8200 }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'vault', labels: { app: 'vault' } },
      spec: {
        serviceAccountName: 'vault',
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'vault',
            image: CREDENTIALS_IMAGE,
            imagePullPolicy: 'IfNotPresent',
            command: [VAULT_PROGRAM, 'server', '-config=/config/vault.hcl'],
            env: [
              { name: 'VAULT_ADDR', value: 'https://127.0.0.1:8200' },
              { name: 'VAULT_CACERT', value: '/tls/ca.crt' },
              { name: 'HOME', value: '/home/vault' },
            ],
            readinessProbe: { tcpSocket: { port: 8200 }, periodSeconds: 1 },
            volumeMounts: [
              { name: 'tls', mountPath: '/tls' },
              { name: 'config', mountPath: '/config' },
              { name: 'home', mountPath: '/home/vault' },
            ],
          },
        ],
        volumes: [
          { name: 'tls', secret: { secretName: 'vault-tls' } },
          { name: 'config', configMap: { name: 'vault' } },
          { name: 'home', emptyDir: { medium: 'Memory' } },
        ],
      },
    },
  ];
}
