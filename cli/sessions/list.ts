import { readRecords, type Warn } from './read.ts';
import { Sessions, type Summary } from './summary.ts';
import { table, visible } from './text.ts';

const HEADER = ['SESSION', 'GATEWAY', 'CALLER', 'STARTED', 'ENDED', 'CALLS', 'DENIED', 'HELD', 'MASKED'];

export async function summarize(store: string, warn: Warn): Promise<Summary[]> {
  const sessions = new Sessions();
  for await (const { line } of readRecords(store, warn)) sessions.add(line.event);
  return sessions.list();
}

export function asTable(summaries: readonly Summary[]): string {
  if (summaries.length === 0) return 'No sessions are recorded.\n';
  return table([HEADER, ...summaries.map(row)]);
}

export function asJson(summaries: readonly Summary[]): string {
  return `${JSON.stringify(summaries, null, 2)}\n`;
}

function row(summary: Summary): string[] {
  const { session, gateway, caller, started, ended, calls, denied, held, masked } = summary;
  const counts = [calls, denied, held, masked].map(String);
  return [session, gateway, caller, started, ended ?? 'open', ...counts].map(visible);
}
