/** Who is signed in is what a cookie says: the ID token itself, which its issuer signed, so that nothing is kept here. */
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Problem } from '../problem.ts';
import type { Attempt } from './issuer.ts';

export interface Cookies {
  /** The ID token. */
  session(request: Request): string | undefined;
  signIn(response: Response, idToken: string): void;
  signOut(response: Response): void;
  /** What was left behind when the browser was sent to the provider. */
  attempt(request: Request): LeftBehind | undefined;
  leave(response: Response, left: LeftBehind): void;
  forget(response: Response): void;
}

export type LeftBehind = Attempt & { readonly to: string };

const leftBehind = z.object({ state: z.string(), nonce: z.string(), verifier: z.string(), to: z.string() });

/** A browser keeps 4096 bytes a cookie, and a server reads headers of 16 KiB. */
const CHUNK = 3_500;
const MOST_CHUNKS = 3;
const ATTEMPT_SECONDS = 600;

/** `secure`: served by https, where a name with the prefix __Host- cannot be set by a neighbouring host. */
export function createCookies(secure: boolean): Cookies {
  const prefix = secure ? '__Host-gatehouse' : 'gatehouse';
  const chunkNames = Array.from({ length: MOST_CHUNKS }, (_, index) => `${prefix}-session-${index}`);
  const attemptName = `${prefix}-attempt`;
  const base = { path: '/', httpOnly: true, secure } as const;
  return {
    session: (request) => {
      const all = cookiesOf(request);
      const token = chunkNames.map((name) => all.get(name) ?? '').join('');
      return token === '' ? undefined : token;
    },
    signIn: (response, idToken) => {
      if (idToken.length > CHUNK * MOST_CHUNKS) {
        throw new Problem(
          'too_large',
          'Your ID token is larger than a browser would keep; have it name fewer groups.',
        );
      }
      for (const [index, name] of chunkNames.entries()) {
        const part = idToken.slice(index * CHUNK, (index + 1) * CHUNK);
        if (part === '') response.clearCookie(name, { ...base, sameSite: 'strict' });
        else response.cookie(name, part, { ...base, sameSite: 'strict', encode: String });
      }
    },
    signOut: (response) => {
      for (const name of chunkNames) response.clearCookie(name, { ...base, sameSite: 'strict' });
    },
    attempt: (request) => {
      const text = Buffer.from(cookiesOf(request).get(attemptName) ?? '', 'base64url').toString();
      return leftBehind.safeParse(jsonOf(text)).data;
    },
    // The provider leads back here from its own site, where a strict cookie would not be shown.
    leave: (response, left) => {
      const value = Buffer.from(JSON.stringify(left)).toString('base64url');
      response.cookie(attemptName, value, { ...base, sameSite: 'lax', maxAge: ATTEMPT_SECONDS * 1000 });
    },
    forget: (response) => {
      response.clearCookie(attemptName, { ...base, sameSite: 'lax' });
    },
  };
}

/** Goes with every form of a session and cannot be known without it. */
export function formToken(idToken: string): string {
  return createHash('sha256').update(`gatehouse console form\n${idToken}`).digest('base64url');
}

function cookiesOf({ headers }: Request): Map<string, string> {
  const pairs = (headers.cookie ?? '').split(';').map((pair): [string, string] => {
    const [name = '', ...value] = pair.trim().split('=');
    return [name, value.join('=')];
  });
  return new Map(pairs);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
