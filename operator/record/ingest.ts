/** One delivery: bytes → lines → verdict → answer. */
import type { Committer } from './committer.ts';
import type { ChainedLine, Verdict } from './chain.ts';
import { LineInvalid } from './errors.ts';
import { bytesHash, parseRecordLine } from './record-line.ts';

const NEWLINE = 0x0a;

export interface Delivered {
  readonly stream: string;
  /** The writer, verified. */
  readonly from: string;
  readonly body: Buffer;
}

/** Stores the lines of a body, all or none. Throws LineInvalid and what the committer throws. */
export async function ingest(committer: Committer, delivered: Delivered): Promise<Verdict> {
  const lines = splitLines(delivered.body).map((bytes, i) => readLine(bytes, i + 1, delivered.stream));
  if (lines.length === 0) throw new LineInvalid('The body holds no line.');
  return committer.commit({ stream: delivered.stream, from: delivered.from, lines });
}

function readLine(bytes: Buffer, number: number, stream: string): ChainedLine {
  const line = parse(bytes, number);
  if (line.stream !== stream)
    throw new LineInvalid(`Line ${number} is of another stream than the address names.`);
  return { seq: line.seq, prev: line.prev, hash: bytesHash(bytes), bytes };
}

function parse(bytes: Buffer, number: number): { stream: string; seq: number; prev: string } {
  try {
    return parseRecordLine(bytes);
  } catch (error) {
    if (error instanceof LineInvalid) throw new LineInvalid(`Line ${number}: ${error.message}.`);
    throw error;
  }
}

/** Every line must end with a newline: a body that was cut short must not pass. */
function splitLines(body: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let at = body.indexOf(NEWLINE); at >= 0; at = body.indexOf(NEWLINE, start)) {
    lines.push(body.subarray(start, at));
    start = at + 1;
  }
  if (start < body.length) throw new LineInvalid('The last line does not end with a newline.');
  return lines;
}
