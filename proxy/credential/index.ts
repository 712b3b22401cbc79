/** Stage 5: lends the call the credentials of its gateway. The only place that makes header values out of secrets. */
import type { Credential } from '../../crds/bundle.ts';
import type { ClientMessage, Cleared, Credentialed, InjectedHeader } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import { CredentialError } from './error.ts';
import { compileHeader, type HeaderTemplate } from './header.ts';
import type { Whose } from '../session/whose-call.ts';
import type { Lender } from './lender.ts';

export { nodeFiles } from './node-files.ts';

export interface Credentials {
  /** Adds the headers to put in. Throws a Refusal when a credential is not to be had: the call must not go without. */
  credential<M extends ClientMessage>(exchange: Cleared<M>): Promise<Credentialed<M>>;
}

interface Entry {
  readonly name: string;
  readonly header: HeaderTemplate;
}

/** What of a gateway's credentials goes to its server as headers. Throws CredentialError for a header that cannot be. */
export function createCredentials(
  credentials: readonly Credential[],
  lender: Pick<Lender, 'lend'>,
): Credentials {
  const entries = credentials.flatMap(createEntry);
  checkDistinct(entries);
  return {
    credential: async (exchange) => {
      const whose = { session: exchange.session.id, request: exchange.exchange };
      const inject = await Promise.all(entries.map((entry) => put(entry, whose, lender)));
      return { ...exchange, inject };
    },
  };
}

/** The one place that unwraps credentials for the request to the MCP server. */
export function headersFor(injected: readonly InjectedHeader[]): Record<string, string> {
  return Object.fromEntries(injected.map((header) => [header.name, header.value.reveal()]));
}

/** An entry for what goes to the server as a header; the rest goes other ways. */
function createEntry({ name, inject }: Credential): Entry[] {
  if (!('server' in inject)) return [];
  return [{ name, header: compileHeader(name, inject.server.header) }];
}

async function put(
  { name, header }: Entry,
  whose: Whose,
  lender: Pick<Lender, 'lend'>,
): Promise<InjectedHeader> {
  try {
    const { fields } = await lender.lend(name, whose);
    return { credential: name, name: header.name, value: header.render(fields) };
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
