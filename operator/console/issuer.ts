/** Signing people in at an OpenID Connect provider: authorization code with PKCE, state, nonce and `iss` (RFC 9700). */
import { createHash, randomBytes } from 'node:crypto';
import { Agent, type fetch } from 'undici';
import { z } from 'zod';
import { sentenceOf } from '../../lib/errors.ts';
import { createOidcVerifier, OidcError, type OidcVerifier, type VerifiedToken } from '../../lib/oidc.ts';
import type { Secret } from '../../lib/secret.ts';
import { Problem } from '../problem.ts';
import type { ConsoleSettings } from './settings.ts';

/** What the browser keeps between leaving for the provider and coming back. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface Issuer {
  /** Where to send the browser. */
  authorizationUrl(attempt: Attempt): Promise<URL>;
  /** The ID token for what the browser brought back. Throws a Problem for what does not fit the attempt. */
  redeem(returned: URLSearchParams, attempt: Attempt): Promise<string>;
  /** Throws a Problem for a token that is not good, or no longer. */
  verify(idToken: string): Promise<VerifiedToken>;
  close(): Promise<void>;
}

export interface IssuerDeps {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly redirectUri: string;
  readonly clientSecret: () => Promise<Secret | undefined>;
  /** PEM, where a gateway says how its issuer is trusted. */
  readonly caBundle: () => string | undefined;
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_CHARACTERS = 256 * 1024;

const metadata = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  authorization_response_iss_parameter_supported: z.boolean().default(false),
});
const tokens = z.object({ id_token: z.string().min(1) });
const failure = z.object({ error: z.string() });

export function newAttempt(): Attempt {
  const random = (): string => randomBytes(32).toString('base64url');
  return { state: random(), nonce: random(), verifier: random() };
}

export function createIssuer(settings: ConsoleSettings, deps: IssuerDeps): Issuer {
  const { issuer, clientId } = settings;
  let trusting: { ca: string | undefined; agent: Agent | undefined; verifier: OidcVerifier } | undefined;
  /** A gateway's edit of its roots is heeded with the next request. */
  const trust = (): NonNullable<typeof trusting> => {
    const ca = deps.caBundle();
    if (trusting?.ca === ca && trusting !== undefined) return trusting;
    void closed(trusting);
    const agent = ca === undefined ? undefined : new Agent({ connect: { ca } });
    const claims = { usernameClaim: 'sub', groupsClaim: 'groups' };
    const provider = { name: 'console', issuer, audiences: [clientId], ...claims, caBundle: ca };
    trusting = { ca, agent, verifier: createOidcVerifier(provider, deps) };
    return trusting;
  };
  const askJson = async (
    url: string,
    form?: { body: string; headers: Record<string, string> },
  ): Promise<unknown> => {
    const { agent } = trust();
    try {
      const response = await deps.fetch(url, {
        method: form === undefined ? 'GET' : 'POST',
        headers: { accept: 'application/json', ...form?.headers },
        body: form?.body ?? null,
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(agent && { dispatcher: agent }),
      });
      const text = await response.text();
      if (text.length > MAX_ANSWER_CHARACTERS) throw new Error('its answer is too long');
      return JSON.parse(text);
    } catch (cause) {
      throw new Problem('unavailable', `The identity provider cannot be asked: ${sentenceOf(cause)}.`, {
        cause,
      });
    }
  };
  const discover = async (): Promise<z.output<typeof metadata>> => {
    const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const found = metadata.safeParse(await askJson(address));
    if (!found.success || found.data.issuer !== issuer) {
      throw new Problem('unavailable', `What is at ${address} is not the configuration of ${issuer}.`);
    }
    const { authorization_endpoint: authorize, token_endpoint: token } = found.data;
    if (issuer.startsWith('https:') && ![authorize, token].every((url) => url.startsWith('https:'))) {
      throw new Problem('unavailable', `The identity provider ${issuer} has endpoints that are not https.`);
    }
    return found.data;
  };
  const verify = async (idToken: string): Promise<VerifiedToken> => {
    try {
      return await trust().verifier.verify(idToken);
    } catch (error) {
      if (!(error instanceof OidcError)) throw error;
      const code = error.code === 'issuer_unavailable' ? 'unavailable' : 'unauthenticated';
      throw new Problem(code, `You are not signed in: ${error.message}`, { cause: error });
    }
  };

  return {
    verify,
    authorizationUrl: async ({ state, nonce, verifier }) => {
      const url = new URL((await discover()).authorization_endpoint);
      const challenge = createHash('sha256').update(verifier).digest('base64url');
      const parameters = {
        ...{ response_type: 'code', client_id: clientId, redirect_uri: deps.redirectUri },
        ...{ scope: settings.scopes.join(' '), state, nonce },
        ...{ code_challenge: challenge, code_challenge_method: 'S256' },
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url;
    },
    redeem: async (returned, attempt) => {
      const found = await discover();
      const code = codeIn(returned, {
        issuer,
        state: attempt.state,
        mustName: found.authorization_response_iss_parameter_supported,
      });
      const secret = await deps.clientSecret();
      const form = {
        ...{ grant_type: 'authorization_code', code, redirect_uri: deps.redirectUri },
        ...{ client_id: clientId, code_verifier: attempt.verifier },
      };
      const answer = await askJson(found.token_endpoint, {
        body: new URLSearchParams(form).toString(),
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          ...(secret && { authorization: basic(clientId, secret) }),
        },
      });
      const given = tokens.safeParse(answer);
      if (!given.success) {
        const why = failure.safeParse(answer).data?.error ?? 'it gave no ID token';
        throw new Problem(
          'unauthenticated',
          `The identity provider did not sign you in: ${why.slice(0, 100)}.`,
        );
      }
      const { claims } = await verify(given.data.id_token);
      if (claims['nonce'] !== attempt.nonce) throw otherAttempt();
      return given.data.id_token;
    },
    close: () => closed(trusting),
  };
}

function codeIn(
  returned: URLSearchParams,
  about: { issuer: string; state: string; mustName: boolean },
): string {
  if (returned.get('state') !== about.state) throw otherAttempt();
  const iss = returned.get('iss');
  if (iss === null ? about.mustName : iss !== about.issuer) {
    throw new Problem('unauthenticated', 'The answer is of another identity provider.');
  }
  const code = returned.get('code');
  if (code !== null && code !== '') return code;
  const why = (returned.get('error') ?? 'no code').slice(0, 100);
  throw new Problem('unauthenticated', `The identity provider did not sign you in: ${why}.`);
}

function otherAttempt(): Problem {
  return new Problem('unauthenticated', 'This is not the answer to your last attempt to sign in; try again.');
}

/** RFC 6749, 2.3.1: both are form-encoded first. */
function basic(id: string, secret: Secret): string {
  const encoded = [id, secret.reveal()].map((text) => encodeURIComponent(text).replaceAll('%20', '+'));
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
}

async function closed(
  trusting: { agent: Agent | undefined; verifier: OidcVerifier } | undefined,
): Promise<void> {
  await Promise.all([trusting?.agent?.close(), trusting?.verifier.close()]);
}
