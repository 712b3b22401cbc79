/** One line of `gatehouse try`: what it asks and what is answered. Messages stay the text they were. */
import type { Masked, ParsedCall } from '../../crds/control.ts';
import { GatehouseError } from '../../lib/errors.ts';
import { decodeUtf8, locate, members, parseJson } from '../../lib/json/index.ts';
import type { ByteLine } from './byte-lines.ts';

/** JSON text throughout, exactly as it stands in the line. */
export interface Question {
  readonly id: string;
  readonly message: string | undefined;
  readonly result: string | undefined;
}

export interface Verdict {
  readonly decision: 'allow' | 'deny' | 'hold';
  readonly rule: string | undefined;
  readonly reason: string;
  readonly risk: number;
  /** What the call was parsed to do, and what adds up to its risk; absent where nothing of it was parsed. */
  readonly parsed?: ParsedCall;
  /** As it is forwarded: JSON text. */
  readonly message?: string;
  /** What the client gets: JSON text, `null` where it gets nothing of what the server sent. */
  readonly result?: string;
  readonly masked: readonly Masked[];
  /** What policies in mode Audit would have masked. */
  readonly audited?: readonly Masked[];
}

/** A line that cannot be judged. */
export class LineError extends GatehouseError {
  readonly code = 'line_invalid';
}

/** Throws LineError or JsonTextError; neither quotes the line. */
export function readQuestion(line: ByteLine): Question {
  if (line === 'too long') throw new LineError('The line is too long.');
  const text = decodeUtf8(line);
  if (text.trim() === '') throw new LineError('The line is empty.');
  parseJson(text);
  const root = locate(text, []);
  if (root === undefined || text[root.start] !== '{') throw new LineError('The line is not a JSON object.');
  const raw = new Map(members(text, root).map(({ key, value }) => [key, text.slice(value.start, value.end)]));
  const message = objectOf(raw, 'message');
  const result = objectOf(raw, 'result');
  if (message === undefined && result === undefined) {
    throw new LineError('The line has neither "message" nor "result".');
  }
  return { id: raw.get('id') ?? 'null', message, result };
}

function objectOf(raw: ReadonlyMap<string, string>, key: string): string | undefined {
  const text = raw.get(key);
  if (text === undefined || text === 'null') return undefined;
  if (!text.startsWith('{'))
    throw new LineError(`"${key}" is not a JSON-RPC message: it must be one JSON object.`);
  return text;
}

/** The answer as one line. Messages are spliced in as text, so that their numbers stay as they are. */
export function writeVerdict(id: string, verdict: Verdict): string {
  const { decision, rule = null, reason, risk, parsed, message, result, masked, audited = [] } = verdict;
  const fields = [
    `"id":${id}`,
    `"decision":${JSON.stringify(decision)}`,
    `"rule":${JSON.stringify(rule)}`,
    `"reason":${JSON.stringify(reason)}`,
    `"risk":${JSON.stringify(risk)}`,
    ...(parsed === undefined ? [] : [`"parsed":${JSON.stringify(parsed)}`]),
    ...(message === undefined ? [] : [`"message":${message}`]),
    ...(result === undefined ? [] : [`"result":${result}`]),
    `"masked":${placesOf(masked)}`,
    ...(audited.length === 0 ? [] : [`"audited":${placesOf(audited)}`]),
  ];
  return `{${fields.join(',')}}\n`;
}

function placesOf(masked: readonly Masked[]): string {
  return JSON.stringify(masked.map(({ path, detector }) => ({ path, detector })));
}

/** What stands in the place of a verdict. */
export function writeError(sentence: string): string {
  return `${JSON.stringify({ error: sentence })}\n`;
}
