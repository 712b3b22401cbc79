/** Delivery over HTTPS: POST {recorder}/v1/streams/{stream}/records with the token of the control audience. */
import type { LookupFunction } from 'node:net';
import { Pool } from 'undici';
import { acknowledged, controlProblem, outOfSequence } from '../../crds/control.ts';
import { GatehouseError } from '../../lib/errors.ts';
import { freshFile } from '../../lib/fresh-file.ts';
import type { DeliveryAnswer, RecordTransport } from './transport.ts';

const ANSWER_TIMEOUT_MS = 10_000;
/** An answer is a line; more than this is not the recorder's. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Statuses that the same lines will meet again however often they are sent. */
const PERMANENT = new Set([400, 413, 415, 422]);

export interface HttpsTransportOptions {
  /** Origin of the recorder, https. */
  readonly url: string;
  /** PEM certificates that vouch for it, read again when the file changes. */
  readonly caFile: string;
  /** The bearer token, read again when the file changes. */
  readonly tokenFile: string;
  /** Where names lie; without it, where this machine says. */
  readonly lookup?: LookupFunction | undefined;
}

/** The recorder could not be reached, or could not take records now. The same lines are sent again later. */
export class DeliveryFailed extends GatehouseError {
  readonly code = 'delivery_failed';
}

export function createHttpsTransport(options: HttpsTransportOptions): RecordTransport {
  const ca = freshFile(options.caFile, (text) => text);
  const token = freshFile(options.tokenFile, (text) => text.trim());
  let open: { ca: string; pool: Pool } | undefined;

  async function pool(): Promise<Pool> {
    const current = await ca();
    if (open?.ca !== current) {
      void open?.pool.close();
      open = { ca: current, pool: connectTo(options, current) };
    }
    return open.pool;
  }

  return {
    send: async (stream, lines, signal) => {
      const response = await (
        await pool()
      ).request({
        method: 'POST',
        path: `/v1/streams/${stream}/records`,
        headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/x-ndjson' },
        body: lines,
        signal,
      });
      return readAnswer(response.statusCode, parseJson(await readBounded(response.body)));
    },
    close: async () => {
      await open?.pool.destroy();
    },
  };
}

function connectTo({ url, lookup }: HttpsTransportOptions, ca: string): Pool {
  return new Pool(url, {
    connections: 1,
    connect: { ca, ...(lookup !== undefined && { lookup }) },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
  });
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES)
      throw new DeliveryFailed(`The recorder answered with more than ${MAX_ANSWER_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readAnswer(status: number, body: unknown): DeliveryAnswer {
  if (status === 200) return readAcknowledged(body);
  const sequence = status === 409 ? outOfSequence.safeParse(body).data : undefined;
  if (sequence?.code === 'chain_broken') return { kind: 'chain_broken', message: sequence.message };
  if (sequence !== undefined) return { kind: 'out_of_sequence', expected: sequence.expected };
  const problem = controlProblem.safeParse(body).data;
  if (problem !== undefined && PERMANENT.has(status)) return { kind: 'rejected', message: problem.message };
  throw new DeliveryFailed(`The recorder answered ${status}: ${problem?.message ?? 'no reason given'}`);
}

function readAcknowledged(body: unknown): DeliveryAnswer {
  const parsed = acknowledged.safeParse(body);
  if (!parsed.success)
    throw new DeliveryFailed('The recorder answered 200 without saying what it acknowledges.');
  return { kind: 'acknowledged', seq: parsed.data.acknowledged };
}
