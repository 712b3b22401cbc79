/**
 * Cursors of lists that hold what may not leave, or look like it. A cursor is the server's own and no client reads it
 * (*Pagination*), so the client gets it sealed and brings it back sealed, and neither it nor the list is lost.
 */
import { z } from 'zod';
import { mayHaveKey, valueAt } from '../../lib/json/index.ts';
import type { Masking } from '../engine/masking/index.ts';
import type { Caller, ClientMessage } from '../exchange.ts';
import { replaceValue } from '../lib/edit.ts';
import { Refusal } from '../refusal.ts';
import { concealAt, type Concealed, type Sealer } from './seal.ts';
import { ownerHash } from './sessions.ts';

const sealedCursor = z.object({ owner: z.string(), cursor: z.string() });

const PURPOSE = 'cursor';
const NEXT = ['result', 'nextCursor'];
const BROUGHT = ['params', 'cursor'];
const INVALID_PARAMS = -32602;

/** Takes the cursor out of a list where it may not leave as it is; undefined where it may, and where there is none. */
export function concealCursor(
  text: string,
  caller: Caller,
  { masker, sealer }: { readonly masker: Masking; readonly sealer: Sealer },
): Concealed | undefined {
  const cursor = mayHaveKey(text, 'nextCursor') ? valueAt(text, NEXT) : undefined;
  if (typeof cursor !== 'string') return undefined;
  const seen = masker.text(cursor, { purpose: 'release' });
  if (seen.kind === 'released' && seen.text === cursor) return undefined;
  const sealed = sealer.seal(PURPOSE, JSON.stringify({ owner: ownerHash(caller), cursor }));
  return concealAt(text, NEXT, { sealed, awaitsClient: false });
}

/** The message with the server's own cursor back in place. Throws a Refusal for one that another caller was given. */
export function restoreCursor(
  text: string,
  { message, caller }: { readonly message: ClientMessage; readonly caller: Caller },
  sealer: Sealer,
): string {
  const brought = message.kind === 'request' ? message.params['cursor'] : undefined;
  const opened = typeof brought === 'string' ? sealer.open(PURPOSE, brought) : undefined;
  if (opened === undefined) return text;
  const { owner, cursor } = sealedCursor.parse(JSON.parse(opened));
  if (owner !== ownerHash(caller))
    throw new Refusal('state_invalid', 'The cursor was issued to another caller; ask for the list anew.', {
      as: INVALID_PARAMS,
    });
  return replaceValue(text, BROUGHT, cursor);
}
