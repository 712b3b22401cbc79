/** What the masking policies of a gateway and the values it holds mean for what a database sends. */
import type { MaskPolicy } from '../../../crds/bundle.ts';
import { Lru } from '../../../lib/lru.ts';
import type { MaskAbout, Masker } from '../../engine/mask/index.ts';
import { WireError } from './errors.ts';
import type { Columns } from './rows/columns.ts';
import { checkCopyOut, maskCopyData } from './rows/copy-out.ts';
import { LongRow, overwriteKnown, type Known } from './rows/long-row.ts';
import { maskRows } from './rows/row-masker.ts';
import { textMasker, type MaskText } from './text-masker.ts';

export interface Masking {
  /** Whether a policy has a say in rows. Without one, only values that the proxy holds are looked for. */
  readonly looksAtRows: boolean;
  readonly text: MaskText;
  /** Whether a policy masks every value of a column of that name. */
  readonly isSelected: (column: string) => boolean;
  /** DataRow messages, one behind the other, as they may leave. May write into `run`. Throws WireError. */
  readonly rows: (run: Buffer, columns: Columns | undefined) => Buffer;
  /** Refuses a COPY that cannot be looked through. Throws WireError. */
  readonly checkCopyOut: (response: Buffer) => void;
  /** CopyData messages, one behind the other, as they may leave. May write into `run`. Throws WireError. */
  readonly copyData: (run: Buffer) => Buffer;
  readonly longRow: () => LongRow | undefined;
}

export interface MaskingDeps {
  readonly masker: Masker;
  readonly policies: readonly MaskPolicy[];
  readonly known: Known;
  /** The tool whose call the connection works for now. */
  readonly tool: () => string | undefined;
}

const NAMES_REMEMBERED = 1024;
const UNDESCRIBED =
  'The database sent rows without a description, so that they cannot be looked through; ask again.';

export function createMasking({ masker, policies, known, tool }: MaskingDeps): Masking {
  const heard = policies.filter(({ direction }) => direction !== 'Request');
  const looksAtRows = heard.length > 0;
  const namesFields = heard.some(({ fields }) => fields.length > 0);
  const about = (): MaskAbout => ({ purpose: 'release', tool: tool() });
  const overwritten = (run: Buffer): Buffer => {
    overwriteKnown(run, known);
    return run;
  };
  return {
    looksAtRows,
    text: textMasker(masker, about),
    isSelected: namesFields ? selection(masker, about) : () => false,
    rows: (run, columns) => {
      if (!looksAtRows) return overwritten(run);
      if (columns === undefined) throw new WireError('42501', UNDESCRIBED);
      return maskRows(run, columns, masker, about());
    },
    checkCopyOut: (response) => {
      if (looksAtRows) checkCopyOut(response, namesFields);
    },
    copyData: (run) => (looksAtRows ? maskCopyData(run, masker, about()) : overwritten(run)),
    longRow: () => (known.isEmpty ? undefined : new LongRow(known)),
  };
}

/** What no detector takes for anything: if it is masked, it is because of the name that it stands under. */
const INNOCENT = 'x';

/** Asks the masker itself, so that names mean here what they mean in the results of tools. */
function selection(masker: Masker, about: () => MaskAbout): (column: string) => boolean {
  const known = new Lru<string, boolean>(NAMES_REMEMBERED);
  return (column) => {
    const key = `${about().tool ?? ''}\0${column}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const row = JSON.stringify({ result: { structuredContent: { rows: [{ [column]: INNOCENT }] } } });
    const outcome = masker.message(row, about());
    const selected = outcome.kind === 'withheld' || outcome.masked.length > 0;
    known.set(key, selected);
    return selected;
  };
}
