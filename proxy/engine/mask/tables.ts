/** Finds the cells of named columns in text: CSV, Markdown tables, and the tables that database shells print. */
import { append } from './append.ts';
import type { Plan, Use } from './plan.ts';
import type { Span } from './types.ts';

export interface Cell extends Span {
  readonly uses: readonly Use[];
}

interface Line extends Span {
  readonly text: string;
}

interface Column {
  readonly index: number;
  readonly uses: readonly Use[];
}

/** Every cell that stands in a column which a policy names. */
export function cellsOf(plan: Plan, text: string): Cell[] {
  if (!plan.hasColumns) return [];
  const lines = linesOf(text);
  return [...ruledCells(plan, lines), ...delimitedCells(plan, text, lines)].filter(
    ({ start, end }) => end > start,
  );
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  for (let start = 0; start <= text.length;) {
    const newline = text.indexOf('\n', start);
    const next = newline === -1 ? text.length : newline;
    const end = text[next - 1] === '\r' && next > start ? next - 1 : next;
    lines.push({ start, end, text: text.slice(start, end) });
    start = next + 1;
  }
  return lines;
}

/** The line under the header of a Markdown table, or of one that psql or mysql printed. */
function isRule({ text }: Line): boolean {
  return text.includes('-') && /^[\s|:+-]+$/.test(text);
}

function ruledCells(plan: Plan, lines: readonly Line[]): Cell[] {
  const cells: Cell[] = [];
  let columns: readonly Column[] = [];
  for (const [at, line] of lines.entries()) {
    if (isRule(line)) {
      const header = lines[at - 1];
      if (header?.text.includes('|') === true)
        columns = columnsOf(
          plan,
          splitRuled(header).map((span) => textOf(span, header)),
        );
    } else if (!line.text.includes('|')) columns = [];
    else if (columns.length > 0) append(cells, pick(splitRuled(line), columns));
  }
  return cells;
}

/** Cells between bars; a bar behind a backslash is text. Empty outer cells are what leading and closing bars leave. */
function splitRuled(line: Line): Span[] {
  const spans: Span[] = [];
  let start = line.start + (/^\s*\|/.exec(line.text)?.[0].length ?? 0);
  for (let at = start; at <= line.end; at += 1) {
    const character = line.text[at - line.start];
    if (character === '\\') at += 1;
    else if (character === '|' || at >= line.end) {
      spans.push(trimmed(line, start, Math.min(at, line.end)));
      start = at + 1;
    }
  }
  return spans;
}

const DELIMITERS = [',', ';', '\t'];

/** A CSV text begins at the start or after an empty line, and ends with the next one. */
function delimitedCells(plan: Plan, text: string, lines: readonly Line[]): Cell[] {
  const cells: Cell[] = [];
  let looked = 0;
  for (const [at, line] of lines.entries()) {
    const first = at === 0 || lines[at - 1]?.text.trim() === '';
    if (!first || line.start < looked) continue;
    for (const delimiter of DELIMITERS) {
      const columns = columnsOf(
        plan,
        splitRecord(text, line.start, delimiter).cells.map((cell) => text.slice(cell.start, cell.end).trim()),
      );
      if (columns.length === 0) continue;
      looked = readRecords(text, splitRecord(text, line.start, delimiter).next, delimiter, (record) =>
        cells.push(...pick(record, columns)),
      );
      break;
    }
  }
  return cells;
}

function readRecords(
  text: string,
  start: number,
  delimiter: string,
  onRecord: (cells: Span[]) => void,
): number {
  let at = start;
  while (at < text.length && !isLineEnd(text[at])) {
    const record = splitRecord(text, at, delimiter);
    onRecord(record.cells);
    at = record.next;
  }
  return at;
}

/** One record of RFC 4180; spans are of what stands between the quotes. */
function splitRecord(
  text: string,
  start: number,
  delimiter: string,
): { readonly cells: Span[]; readonly next: number } {
  const cells: Span[] = [];
  let at = start;
  for (;;) {
    const cell = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at, delimiter);
    cells.push(cell);
    at = cell.next;
    if (text[at] !== delimiter) break;
    at += 1;
  }
  while (at < text.length && text[at] !== '\n') at += 1;
  return { cells, next: at + 1 };
}

function plainCell(text: string, start: number, delimiter: string): Span & { readonly next: number } {
  let end = start;
  while (end < text.length && text[end] !== delimiter && !isLineEnd(text[end])) end += 1;
  return { start, end, next: end };
}

function quotedCell(text: string, start: number): Span & { readonly next: number } {
  let end = start + 1;
  for (; end < text.length; end += 1) {
    if (text[end] !== '"') continue;
    if (text[end + 1] !== '"') break;
    end += 1;
  }
  return { start: start + 1, end: Math.min(end, text.length), next: end + 1 };
}

function isLineEnd(character: string | undefined): boolean {
  return character === '\n' || character === '\r';
}

function columnsOf(plan: Plan, headers: readonly string[]): Column[] {
  return headers
    .map((header, index) => ({ index, uses: plan.columnUses(header) }))
    .filter(({ uses }) => uses.length > 0);
}

function pick(cells: readonly Span[], columns: readonly Column[]): Cell[] {
  return columns.flatMap(({ index, uses }) => {
    const cell = cells[index];
    return cell === undefined ? [] : [{ start: cell.start, end: cell.end, uses }];
  });
}

function trimmed(line: Line, start: number, end: number): Span {
  const cell = line.text.slice(start - line.start, end - line.start);
  const lead = cell.length - cell.trimStart().length;
  return { start: start + lead, end: start + Math.max(lead, cell.trimEnd().length) };
}

function textOf({ start, end }: Span, line: Line): string {
  return line.text.slice(start - line.start, end - line.start);
}
