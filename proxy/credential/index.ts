/** Stage 5: lends the call the credentials of its gateway. The only place that makes header values out of secrets. */
import type { Credential } from '../../crds/bundle.ts';
import { sentenceOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Secret } from '../../lib/secret.ts';
import type { ClientMessage, Cleared, Credentialed, InjectedHeader } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import { createDevFile, type DevFile, type FileAccess } from './dev-file.ts';
import { CredentialError } from './error.ts';
import { compileHeader, type HeaderTemplate } from './header.ts';

export { nodeFiles } from './node-files.ts';
export type { FileAccess } from './dev-file.ts';

export interface CredentialDeps {
  /** namespace/name. */
  readonly gateway: string;
  readonly files: FileAccess;
  readonly now: () => number;
  /** Where values are told before their first use, so that they are masked from then on. */
  readonly known: { set(owner: string, values: readonly string[]): void };
  readonly log: Logger;
}

export interface Credentials {
  /** Adds the headers to put in. Throws a Refusal when a credential is not to be had: the call must not go without. */
  credential<M extends ClientMessage>(exchange: Cleared<M>): Promise<Credentialed<M>>;
  /** Reads every source, so that its values are masked before the first call. What fails here is logged. */
  preload(): Promise<void>;
}

interface Entry {
  readonly name: string;
  readonly header: HeaderTemplate;
  readonly source: DevFile;
}

/** The credentials of one gateway. Throws CredentialError for a header that cannot be. */
export function createCredentials(credentials: readonly Credential[], deps: CredentialDeps): Credentials {
  const entries = credentials.flatMap((credential) => createEntry(credential, deps));
  checkDistinct(entries);
  return {
    credential: async (exchange) => ({ ...exchange, inject: await Promise.all(entries.map(inject)) }),
    preload: async () => {
      const outcomes = await Promise.allSettled(entries.map((entry) => entry.source.current()));
      outcomes.forEach((outcome) => {
        if (outcome.status === 'rejected')
          deps.log.warn({ gateway: deps.gateway }, sentenceOf(outcome.reason));
      });
    },
  };
}

/** The one place that unwraps credentials for the request to the MCP server. */
export function headersFor(injected: readonly InjectedHeader[]): Record<string, string> {
  return Object.fromEntries(injected.map((header) => [header.name, header.value.reveal()]));
}

/** An entry for what goes to the server as a header; the rest goes other ways. */
function createEntry({ name, source, inject: into }: Credential, deps: CredentialDeps): Entry[] {
  if (!('server' in into)) return [];
  if (!('devFile' in source)) {
    throw new CredentialError(
      'credential_invalid',
      `The credential "${name}" cannot be used: this proxy has no way to its source.`,
    );
  }
  const owner = `${deps.gateway}/${name}`;
  const onValues = (values: readonly Secret[]): void => {
    deps.known.set(
      owner,
      values.map((value) => value.reveal()),
    );
  };
  return [
    {
      name,
      header: compileHeader(name, into.server.header),
      source: createDevFile(name, source.devFile.path, { ...deps, onValues }),
    },
  ];
}

async function inject(entry: Entry): Promise<InjectedHeader> {
  try {
    const { fields } = await entry.source.current();
    return { credential: entry.name, name: entry.header.name, value: entry.header.render(fields) };
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    throw new Refusal('credential_unavailable', error.message, { cause: error });
  }
}

/** Two values under one name would be one header line with both in it. */
function checkDistinct(entries: readonly Entry[]): void {
  const seen = new Set<string>();
  for (const { name, header } of entries) {
    const lower = header.name.toLowerCase();
    if (seen.has(lower)) {
      throw new CredentialError(
        'credential_invalid',
        `The credential "${name}" cannot be used: another one of this gateway sets the header ${header.name} too.`,
      );
    }
    seen.add(lower);
  }
}
