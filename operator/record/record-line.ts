/** Record lines: the one spelling that is taken, and what is in it. */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { LineInvalid } from './errors.ts';

export const STREAM_ID = /^[A-Za-z0-9_-]{1,64}$/;

const caller = z.object({
  provider: z.string(),
  issuer: z.string(),
  subject: z.string(),
  username: z.string(),
  groups: z.array(z.string()),
});

const masked = z.array(z.object({ path: z.string(), detector: z.string() }));

const about = {
  time: z.iso.datetime({ precision: 3 }),
  gateway: z.string(),
  session: z.string().optional(),
  caller: caller.optional(),
};

/** RecordEvent of crds/control.ts as it is read back. Members that a newer proxy adds are kept, not understood. */
export const recordedEvent = z.discriminatedUnion('type', [
  z.looseObject({ ...about, type: z.literal('session.start'), revision: z.string(), transport: z.string() }),
  z.looseObject({ ...about, type: z.literal('session.end'), reason: z.string() }),
  z.looseObject({
    ...about,
    type: z.literal('request'),
    exchange: z.string(),
    method: z.string(),
    target: z.string().optional(),
    message: z.string(),
    decision: z.enum(['allow', 'deny', 'hold']),
    rule: z.string().optional(),
    reason: z.string(),
    risk: z.number(),
    approval: z.string().optional(),
    credentials: z.array(z.string()).optional(),
  }),
  z.looseObject({
    ...about,
    type: z.literal('response'),
    exchange: z.string(),
    message: z.string(),
    masked,
    durationMs: z.number(),
  }),
  z.looseObject({
    ...about,
    type: z.literal('message'),
    from: z.enum(['client', 'server']),
    method: z.string(),
    message: z.string(),
    masked,
  }),
  z.looseObject({
    ...about,
    type: z.literal('refusal'),
    exchange: z.string(),
    code: z.string(),
    reason: z.string(),
    status: z.number(),
  }),
  z.looseObject({
    ...about,
    type: z.literal('approval'),
    exchange: z.string(),
    approval: z.string(),
    phase: z.string(),
  }),
  z.looseObject({
    ...about,
    type: z.literal('outbound'),
    exchange: z.string().optional(),
    protocol: z.enum(['http', 'postgres']),
    destination: z.string(),
    what: z.string(),
    decision: z.enum(['allow', 'deny']),
    reason: z.string().optional(),
    credential: z.string().optional(),
    status: z.number().optional(),
    durationMs: z.number(),
  }),
  z.looseObject({ ...about, type: z.literal('notice'), code: z.string(), reason: z.string() }),
]);

export type RecordedEvent = z.infer<typeof recordedEvent>;

export const recordLine = z.strictObject({
  stream: z.string().regex(STREAM_ID),
  seq: z.int().min(0),
  prev: z.string().regex(/^[0-9a-f]{64}$/),
  event: recordedEvent,
});

export type ReadLine = z.infer<typeof recordLine>;

/** The hash that chains a stream, over bytes: equal to `lineHash` of crds/control.ts for every line that is UTF-8. */
export function bytesHash(line: Uint8Array): string {
  return createHash('sha256').update(line).digest('hex');
}

/**
 * Reads a line. Throws LineInvalid unless it is UTF-8, exactly as JSON.stringify writes it (so that no parser can
 * read it another way: no duplicate keys, no odd spacing) and a record.
 */
export function parseRecordLine(line: Buffer): ReadLine {
  if (!isUtf8(line)) throw new LineInvalid('it is not UTF-8');
  const text = line.toString('utf8');
  const value = parseJson(text);
  if (JSON.stringify(value) !== text)
    throw new LineInvalid('it is not JSON in the one spelling that is taken');
  const parsed = recordLine.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new LineInvalid(`${issue?.path.join('.') ?? 'it'}: ${issue?.message ?? 'is no record'}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new LineInvalid('it is not JSON');
  }
}
