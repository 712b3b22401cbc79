/** Secret managers, infrastructure as code, clusters and machines. */
import { ALPHANUMERIC, filler, type BuiltinDetector } from './detector.ts';
import { alnum, base64, format, hex, lowerAlnum, upperAlnum, url64, type Run } from './format.ts';

const BECH32: Run = {
  charset: '[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]',
  example: 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L',
  least: 58,
  most: 58,
};

export const infrastructure: readonly BuiltinDetector[] = [
  format({
    name: 'vault-token',
    description: 'HashiCorp Vault or OpenBao service, batch and recovery tokens',
    source: 'https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes',
    parts: [['hvs.', 'hvb.', 'hvr.'], url64(24, 400)],
  }),
  format({
    name: 'terraform-token',
    description: 'HCP Terraform or Terraform Enterprise API token',
    source: 'https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens',
    parts: [alnum(14), '.atlasv1.', url64(60, 70)],
  }),
  format({
    name: 'pulumi-token',
    description: 'Pulumi access token',
    source: 'https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/',
    parts: ['pul-', hex(40)],
  }),
  format({
    name: 'doppler-token',
    description: 'Doppler personal, service, service account, CLI, SCIM and audit tokens',
    source: 'https://docs.doppler.com/reference/auth-token-formats',
    parts: [
      ['dp.pt.', 'dp.ct.', 'dp.st.', 'dp.sa.', 'dp.scim.', 'dp.audit.', 'dp.said.'],
      { ...alnum(40, 90), charset: '[A-Za-z0-9_.-]' },
    ],
  }),
  format({
    name: 'onepassword-service-account-token',
    description: '1Password service account token',
    source: 'https://developer.1password.com/docs/service-accounts/security/',
    parts: ['ops_eyJ', { ...base64(250, 2000), charset: '[A-Za-z0-9+/=_-]' }],
  }),
  format({
    name: 'onepassword-secret-key',
    description: '1Password Secret Key',
    source: 'https://support.1password.com/secret-key-security/',
    parts: [
      'A3-',
      upperAlnum(6),
      '-',
      upperAlnum(6),
      '-',
      upperAlnum(5),
      '-',
      upperAlnum(5),
      '-',
      upperAlnum(5),
      '-',
      upperAlnum(5),
    ],
  }),
  format({
    name: 'infisical-token',
    description: 'Infisical service token',
    source: 'https://infisical.com/docs/documentation/platform/token',
    parts: ['st.', hex(24), '.', hex(32), '.', hex(32)],
  }),
  format({
    name: 'age-secret-key',
    description: 'Identity (private key) of age',
    source: 'https://github.com/C2SP/C2SP/blob/main/age.md',
    parts: ['AGE-SECRET-KEY-1', BECH32],
  }),
  format({
    name: 'rancher-token',
    description: 'Rancher API token',
    source: 'https://ranchermanager.docs.rancher.com/reference-guides/user-settings/api-keys',
    parts: ['token-', lowerAlnum(5), ':', lowerAlnum(54)],
  }),
  format({
    name: 'openshift-token',
    description: 'OpenShift OAuth access token',
    source:
      'https://docs.redhat.com/en/documentation/openshift_container_platform/4.16/html/authentication_and_authorization/configuring-internal-oauth',
    parts: ['sha256~', url64(43)],
  }),
  format({
    name: 'portainer-token',
    description: 'Portainer access token',
    source: 'https://docs.portainer.io/api/access',
    parts: ['ptr_', base64(43), '='],
  }),
  {
    cue: 'literal',
    name: 'kubeconfig-client-key',
    description: 'The client key in a kubeconfig',
    source: 'https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#AuthInfo',
    literals: ['client-key-data'],
    pattern: String.raw`client-key-data["']?\s{0,8}:\s{0,8}["']?([A-Za-z0-9+/]{64,}={0,2})`,
    reach: { before: 0, after: 4096 },
    examples: () => ({
      positive: [`client-key-data: ${filler(ALPHANUMERIC, 128)}`],
      negative: [`client-certificate-data: ${filler(ALPHANUMERIC, 128)}`, 'client-key-data: REDACTED'],
    }),
  },
  {
    cue: 'literal',
    name: 'registry-auth',
    description: 'User and password for a container registry in a Docker configuration',
    source: 'https://github.com/docker/cli/blob/master/docs/reference/commandline/login.md',
    literals: ['"auth"'],
    pattern: String.raw`"auth"\s{0,8}:\s{0,8}"([A-Za-z0-9+/]{8,}={0,2})"`,
    valid: (value) => /^[\x20-\x7e]+:[\x20-\x7e]+$/.test(Buffer.from(value, 'base64').toString('latin1')),
    examples: () => ({
      positive: [`{"auth": "${Buffer.from('ada:' + filler(ALPHANUMERIC, 12)).toString('base64')}"}`],
      negative: ['"auth": "required"', `"auth": "${Buffer.from('no colon in here').toString('base64')}"`],
    }),
  },
  {
    cue: 'literal',
    name: 'netrc-password',
    description: 'The password of an entry in a .netrc file',
    source: 'https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html',
    literals: ['password '],
    pattern: String.raw`\b(?:machine\s{1,8}[^\s]{1,128}|default)\s{1,8}login\s{1,8}\S{1,128}\s{1,8}password\s{1,8}([^\s"',;()]{4,})`,
    reach: { before: 320, after: 300 },
    valid: (value) => !/^[a-z]+$/.test(value),
    embedded: true,
    examples: () => ({
      positive: [`machine example.org login ada password ${filler(ALPHANUMERIC, 10)}`],
      negative: ['login with your password please', 'the default login and password required'],
    }),
  },
  {
    cue: 'literal',
    name: 'password-hash',
    description: 'Password hash in crypt form: bcrypt, SHA-crypt, scrypt, yescrypt, Argon2',
    source: 'Manual page crypt(5) of libxcrypt',
    literals: ['$2a$', '$2b$', '$2y$', '$5$', '$6$', '$y$', '$7$', '$argon2', '$apr1$'],
    pattern: String.raw`\$(?:2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}|(?:5|6|y|7|apr1)\$[./A-Za-z0-9=,]{1,64}\$[./A-Za-z0-9$]{20,128}|argon2(?:id|i|d)\$v=[0-9]+\$[a-z0-9=,]{5,64}\$[A-Za-z0-9+/]{8,}\$[A-Za-z0-9+/]{16,})`,
    examples: () => ({
      positive: [
        `$2b$12$${filler(ALPHANUMERIC, 53)}`,
        `$6$${filler(ALPHANUMERIC, 16)}$${filler(ALPHANUMERIC, 86)}`,
        `$argon2id$v=19$m=65536,t=3,p=4$${filler(ALPHANUMERIC, 22)}$${filler(ALPHANUMERIC, 43)}`,
      ],
      negative: ['$2b$12$short', 'costs $5$ or $6$ each', '$y$x'],
    }),
  },
  {
    cue: 'literal',
    name: 'wireguard-key',
    description: 'Private or preshared key in a WireGuard configuration',
    source: 'Manual page wg(8), "Configuration file format"',
    literals: ['privatekey', 'presharedkey'],
    pattern: String.raw`(?:PrivateKey|PresharedKey)\s{0,4}=\s{0,4}([A-Za-z0-9+/]{43}=)`,
    examples: () => ({
      positive: [`PrivateKey = ${filler(ALPHANUMERIC, 43)}=`],
      negative: [`PublicKey = ${filler(ALPHANUMERIC, 43)}=`, 'PrivateKey = /etc/wireguard/key'],
    }),
  },
  {
    cue: 'literal',
    name: 'putty-private-key',
    description: 'The private part of a PuTTY key file',
    source: 'https://the.earth.li/~sgtatham/putty/latest/htmldoc/AppendixC.html',
    literals: ['private-lines:'],
    pattern: String.raw`Private-Lines: [0-9]{1,4}\s([A-Za-z0-9+/=\s]{40,})`,
    reach: { before: 0, after: 4096 },
    embedded: true,
    examples: () => ({
      positive: [`Private-Lines: 2\n${filler(ALPHANUMERIC, 64)}`],
      negative: [`Public-Lines: 2\n${filler(ALPHANUMERIC, 64)}`, 'Private-Lines: 2'],
    }),
  },
];
