/** Where people sign in for the console. */
import { z } from 'zod';

export const consoleSettings = z.strictObject({
  /** One that the gateways trust as well: they say who its people are. */
  issuer: z.string().min(1).max(2048),
  clientId: z.string().min(1).max(512),
  /** Of a confidential client; without it the client is a public one, and PKCE alone proves it. */
  clientSecretFile: z.string().min(1).max(4096).optional(),
  scopes: z
    .array(z.string().regex(/^[!#-[\]-~]+$/, 'must be a scope'))
    .max(32)
    .default(['openid', 'profile', 'email'])
    .refine((scopes) => scopes.includes('openid'), 'must include openid'),
});

export type ConsoleSettings = z.output<typeof consoleSettings>;
