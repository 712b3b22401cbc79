/** Signing in the way every MCP client does: find the issuer from the server's 401, authorize, exchange the code. */
import {
  auth,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { browse } from './browser.ts';
import { CLIENT_ID, REDIRECT_URL } from './people.ts';

/** The memory of one person's client: what it discovered, its verifier and its tokens. */
class DeskClient implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT_URL;
  readonly clientMetadata = {
    client_name: 'Gatehouse demo',
    redirect_uris: [REDIRECT_URL],
    token_endpoint_auth_method: 'none',
    scope: 'openid',
  };
  redirectedTo: URL | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #discovered: OAuthDiscoveryState | undefined;
  #verifier = '';

  clientInformation(): { client_id: string } {
    return { client_id: CLIENT_ID };
  }
  tokens(): StoredOAuthTokens | undefined {
    return this.#tokens;
  }
  saveTokens(tokens: StoredOAuthTokens): void {
    this.#tokens = tokens;
  }
  redirectToAuthorization(url: URL): void {
    this.redirectedTo = url;
  }
  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.#discovered = state;
  }
  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovered;
  }
  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }
  codeVerifier(): string {
    return this.#verifier;
  }
}

/** Signs a person in for one MCP server; returns the access token. */
export async function signIn(login: string, serverUrl: string): Promise<string> {
  const client = new DeskClient();
  await auth(client, { serverUrl });
  if (client.redirectedTo === undefined) throw new Error('The client was not sent to the issuer.');
  const returned = await browse(client.redirectedTo, login, REDIRECT_URL);
  const code = returned.searchParams.get('code');
  if (code === null) throw new Error(`The issuer answered ${returned.search} instead of a code.`);
  await auth(client, { serverUrl, authorizationCode: code, iss: returned.searchParams.get('iss') ?? '' });
  const token = client.tokens()?.access_token;
  if (token === undefined) throw new Error('The issuer gave no access token.');
  return token;
}
