/** COPY to the client, of which the wire tells neither names nor types. */
import type { MaskAbout, Masker } from '../../../engine/mask/index.ts';
import { WireError } from '../errors.ts';
import { Fields, message } from '../messages.ts';

const BINARY = 1;

/** Refuses what cannot be looked through as it has to be. `response`: a whole CopyOutResponse. Throws WireError. */
export function checkCopyOut(response: Buffer, policiesNameFields: boolean): void {
  if (policiesNameFields)
    throw new WireError(
      '42501',
      'COPY TO STDOUT does not say which columns it sends, and a masking policy of this gateway names some; use SELECT.',
    );
  if (new Fields(response, 5).byte() === BINARY)
    throw new WireError(
      '42501',
      'COPY TO STDOUT in binary cannot be looked through as the masking policies of this gateway ask; use text or CSV.',
    );
}

/** CopyData messages, one behind the other, as they may leave. Throws WireError. */
export function maskCopyData(run: Buffer, masker: Masker, about: MaskAbout): Buffer {
  const lines = linesOf(run);
  const together = Buffer.concat(lines).toString('utf8');
  // Most hold nothing.
  if (masked(together, masker, about) === together) return run;
  return Buffer.concat(
    lines.map((line) => message('d', Buffer.from(masked(line.toString('utf8'), masker, about), 'utf8'))),
  );
}

function masked(text: string, masker: Masker, about: MaskAbout): string {
  const outcome = masker.text(text, about);
  if (outcome.kind === 'withheld') throw new WireError('42501', outcome.reason);
  return outcome.text;
}

function linesOf(run: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < run.length;) {
    const end = at + run.readUInt32BE(at + 1) + 1;
    lines.push(run.subarray(at + 5, end));
    at = end;
  }
  return lines;
}
