/** The cluster's own certificate authority and what it signs, made by openssl. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../tools/run.ts';

export interface KeyAndCertificate {
  /** PKCS #8, PEM. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
}

export interface Subject {
  readonly commonName: string;
  /** Kubernetes reads groups here. */
  readonly organization?: string;
  /** Names and IP addresses of a server; a subject without any is only a client. */
  readonly hosts?: readonly string[];
}

export interface Authority {
  readonly certificate: string;
  /** Writes `NAME.key` and `NAME.crt` beside the authority's own. */
  readonly issue: (name: string, subject: Subject) => Promise<KeyAndCertificate>;
}

const DAYS = '365';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];

/** Keeps `ca.key` and `ca.crt` in the directory. */
export async function createAuthority(directory: string, commonName: string): Promise<Authority> {
  const create = async (
    name: string,
    subject: string,
    args: readonly string[],
  ): Promise<KeyAndCertificate> => {
    const files = { key: join(directory, `${name}.key`), certificate: join(directory, `${name}.crt`) };
    const out = ['-keyout', files.key, '-out', files.certificate];
    await run('openssl', ['req', '-x509', '-days', DAYS, ...NEW_KEY, '-subj', subject, ...args, ...out]);
    return { key: readFileSync(files.key, 'utf8'), certificate: readFileSync(files.certificate, 'utf8') };
  };
  const usage = ['-addext', 'keyUsage=critical,keyCertSign,digitalSignature'];
  const own = await create('ca', `/CN=${commonName}`, usage);
  const signer = ['-CA', join(directory, 'ca.crt'), '-CAkey', join(directory, 'ca.key')];
  return {
    certificate: own.certificate,
    issue: (name, subject) =>
      create(name, distinguishedName(subject), [...signer, ...leafExtensions(subject)]),
  };
}

/** The key that signs service account tokens, PEM; RS256 is what every verifier of such tokens can read. */
export function createSigningKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function distinguishedName({ commonName, organization }: Subject): string {
  return `${organization === undefined ? '' : `/O=${organization}`}/CN=${commonName}`;
}

function leafExtensions({ hosts = [] }: Subject): string[] {
  const names = hosts.map((host) => `${/^[\d.]+$|:/.test(host) ? 'IP' : 'DNS'}:${host}`);
  const extensions = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    `extendedKeyUsage=clientAuth${names.length > 0 ? ',serverAuth' : ''}`,
    ...(names.length > 0 ? [`subjectAltName=${names.join(',')}`] : []),
  ];
  return extensions.flatMap((extension) => ['-addext', extension]);
}
