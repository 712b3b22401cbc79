/** Masks what a database says beside its rows: errors, notices, notifications, names and settings. */
import type { MaskAbout, Masker } from '../../engine/mask/index.ts';
import { cstring, Fields, int32, message, readReport, writeReport } from './messages.ts';

/** The text as it may leave. */
export type MaskText = (text: string) => string;

const WITHHELD = '[withheld]';

export function textMasker(masker: Masker, about: () => MaskAbout): MaskText {
  return (text) => {
    if (text === '') return text;
    const outcome = masker.text(text, about());
    return outcome.kind === 'released' ? outcome.text : WITHHELD;
  };
}

/** Members of a report that say where in the database's own sources it came from, or are codes. */
const CODES = new Set(['S', 'V', 'C', 'P', 'p', 'F', 'L', 'R']);

/** An ErrorResponse or NoticeResponse with every sentence in it masked: message, detail, hint, context, names. */
export function maskReport(frame: Buffer, mask: MaskText): Buffer {
  const report = readReport(frame);
  const masked = new Map(
    [...report].map(([member, text]) => [member, CODES.has(member) ? text : mask(text)]),
  );
  const isSame = [...report].every(([member, text]) => masked.get(member) === text);
  return isSame ? frame : writeReport(frame[0] === 0x45 ? 'E' : 'N', masked);
}

export function maskNotification(frame: Buffer, mask: MaskText): Buffer {
  const fields = new Fields(frame, 5);
  const pid = fields.int32();
  return message('A', int32(pid), cstring(mask(fields.text())), cstring(mask(fields.text())));
}
