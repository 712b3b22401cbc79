/** A gateway whose credential is what must not leave, and how the tables of paths are read. */
import { randomBytes } from 'node:crypto';
import { modernCall, openSession, type HandSession, type Way } from '../../fixtures/hand-client.ts';
import type { Manifest } from '../../fixtures/gatehouse.ts';
import { startWorld, type World } from '../world.ts';

export const SECRET = `k9-${randomBytes(15).toString('hex')}`;
export const MASK = '[REDACTED:known-secret]';
export const BLOB = Buffer.from(`\0PNG ${SECRET} \u00ff`, 'latin1').toString('base64');
const BLOB_MASK = Buffer.from(MASK).toString('base64');

export const FAMILIES = ['legacy', 'modern'] as const;
export type Family = (typeof FAMILIES)[number];
/** The value is replaced; the message stays in; the element of the list goes; the client never sees the value. */
export type Fate = 'replaced' | 'withheld' | 'hidden' | 'sealed';
/** What a client is told in place of an answer that was withheld. */
export const WITHHELD = /^The result was withheld: [^]*[^.]\.$/;
export type Row = readonly [path: string, fate: Fate, only?: Family];

export interface Masked extends AsyncDisposable {
  readonly world: World;
  readonly way: Way;
  /** Opened before 2026-07-28. */
  readonly session: HandSession;
  readonly ask: (
    family: Family,
    method: string,
    params?: Readonly<Record<string, unknown>>,
  ) => Promise<Response>;
}

/** Held in every test: a value that the proxy holds is masked whatever the policies say. */
export async function startMasked(policies: readonly Manifest[] = []): Promise<Masked> {
  const world = await startWorld({
    policies,
    server: { mayAsk: ['Elicitation', 'Sampling', 'Roots'] },
    spec: {
      tools: { integrity: 'Off' },
      credentials: [
        {
          name: 'backend',
          source: { devFile: { path: 'backend.json' } },
          inject: { server: { header: { name: 'X-Api-Key', value: '{{ key }}' } } },
        },
      ],
    },
    files: { 'backend.json': JSON.stringify({ key: SECRET }) },
  });
  const way = await world.as('ana');
  const session = await openSession(way);
  return {
    world,
    way,
    session,
    ask: (family, method, params = {}) =>
      family === 'modern' ? modernCall(way, method, params) : session.request(method, params),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** As the client may see it. */
export function shown(value: object): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(SECRET, MASK).replaceAll(BLOB, BLOB_MASK));
}
