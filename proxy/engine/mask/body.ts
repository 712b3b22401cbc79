import { isUtf8 } from 'node:buffer';
import { splice } from '../../../lib/json/index.ts';
import { knownIn } from './examine.ts';
import { Withheld } from './ledger.ts';
import { NO_POLICIES, type Place } from './place.ts';
import { describedAs, maskProtobuf } from './protobuf.ts';
import type { Work } from './work.ts';

/** Where a text that is no message of MCP stands. */
export const TEXT: Place = {
  path: () => '$',
  key: undefined,
  role: 'text',
  selected: [],
  excluded: NO_POLICIES,
  nesting: 0,
  seams: [],
};

/** A body with what is masked in it replaced. Throws Withheld for one in which nothing can be replaced. */
export function maskBody(work: Work, body: Buffer, mimeType: string | undefined): Buffer {
  const described = describedAs(work.plan, mimeType);
  if (described !== undefined) {
    const masked = maskProtobuf(work, body, described, TEXT);
    if (knownIn(work.probe, masked.toString('latin1')).length > 0) throw new Withheld(NOT_EDITABLE);
    return masked;
  }
  if (isUtf8(body)) {
    const text = body.toString('utf8');
    const edits = work.maskString(work, text, TEXT);
    return edits.length === 0 ? body : Buffer.from(splice(text, edits));
  }
  if (work.maskString(work, body.toString('latin1'), TEXT).length > 0) throw new Withheld(NOT_EDITABLE);
  return body;
}

const NOT_EDITABLE = 'It is no text and holds what must be masked';
