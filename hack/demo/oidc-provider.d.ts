/** The part of oidc-provider that the demo and the tests use; the package brings no types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  interface Account {
    readonly accountId: string;
    readonly claims: () => { readonly sub: string; readonly groups?: readonly string[] };
  }

  interface ResourceServer {
    readonly scope: string;
    readonly audience: string;
    readonly accessTokenFormat: 'jwt';
    readonly jwt: { readonly sign: { readonly alg: string } };
  }

  interface Configuration {
    readonly clients: readonly Readonly<Record<string, unknown>>[];
    readonly cookies: { readonly keys: readonly string[] };
    readonly jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
    readonly ttl: Readonly<Record<string, number>>;
    readonly features: {
      readonly devInteractions: { readonly enabled: boolean };
      readonly resourceIndicators?: {
        readonly enabled: boolean;
        readonly getResourceServerInfo: (ctx: unknown, resource: string) => ResourceServer;
      };
    };
    readonly findAccount: (ctx: unknown, id: string) => Account;
    /** Claims of each scope, and whether ID tokens have them although there is a userinfo endpoint. */
    readonly claims?: Readonly<Record<string, readonly string[]>>;
    readonly conformIdTokenClaims?: boolean;
    readonly extraTokenClaims?: (
      ctx: unknown,
      token: { readonly accountId?: string },
    ) => Readonly<Record<string, unknown>>;
  }

  export default class Provider {
    constructor(issuer: string, configuration: Configuration);
    callback(): (req: IncomingMessage, res: ServerResponse) => void;
  }

  export const errors: { readonly InvalidTarget: new () => Error };
}
