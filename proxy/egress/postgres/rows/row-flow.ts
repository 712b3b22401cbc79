/** Rows and data of COPY on their way to the client: those that lie behind each other are looked at together. */
import { WireError } from '../errors.ts';
import type { FramePart, FrameReader } from '../frames.ts';
import type { Outlet } from '../outlet.ts';
import type { Masking } from '../masking.ts';
import { code } from '../messages.ts';
import type { Columns } from './columns.ts';
import type { LongRow } from './long-row.ts';

const ROW = code('D');
const COPY_DATA = code('d');
/** A row is looked at as a whole up to this length; a longer one is refused where a policy would have to look at it. */
const MAX_EXAMINED = 16 * 1024 * 1024;
const MAX_COLLECTED = 64 * 1024;

export interface RowFlowDeps {
  readonly reader: FrameReader;
  readonly masking: () => Masking;
  readonly outlet: Outlet;
  /** Of the result that is coming. */
  readonly columns: () => Columns | undefined;
}

export function isRow(type: number): boolean {
  return type === ROW || type === COPY_DATA;
}

/** Up to how many bytes a row is collected. */
export function rowLimit(masking: Masking): number {
  return masking.looksAtRows ? MAX_EXAMINED : MAX_COLLECTED;
}

export class RowFlow {
  readonly #deps: RowFlowDeps;
  /** Where the rows lie that have not been sent. */
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #type = 0;
  #long: LongRow | undefined;

  constructor(deps: RowFlowDeps) {
    this.#deps = deps;
  }

  /** Takes the row that the reader has come to. */
  add(): void {
    const { reader } = this.#deps;
    const goesOn = reader.buffer === this.#buffer && reader.start === this.#end && reader.type === this.#type;
    if (!goesOn) {
      this.flush();
      this.#buffer = reader.buffer;
      this.#start = reader.start;
    }
    this.#type = reader.type;
    this.#end = reader.end;
  }

  /** Sends what was taken, before any other message. */
  flush(): void {
    if (this.#end === this.#start) return;
    const { masking, outlet, columns } = this.#deps;
    const run = this.#buffer.subarray(this.#start, this.#end);
    this.#start = this.#end = 0;
    outlet.sendOrWithhold(() =>
      this.#type === ROW ? masking().rows(run, columns()) : masking().copyData(run),
    );
  }

  /** Takes a part of a row that is too long to be collected. */
  addPart(part: Exclude<FramePart, 'whole'>): void {
    const { reader, masking, outlet } = this.#deps;
    if (!isRow(reader.type))
      throw new WireError('54000', 'The database sent a message that is longer than this listener takes.');
    const bytes = reader.frame();
    outlet.sendOrWithhold(() => {
      if (masking().looksAtRows)
        throw new WireError(
          '54000',
          `A row of ${reader.length} bytes is too long to be looked through for what may not leave.`,
        );
      if (part === 'begin') this.#long = masking().longRow();
      return this.#long?.take(bytes, part === 'last') ?? bytes;
    });
  }
}
