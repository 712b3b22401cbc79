/** What the proxy takes away: the checks that pass against a server directly and end otherwise through the proxy. */
import type { Check } from './suite.ts';

export interface Loss {
  readonly key: string;
  /** The status through the proxy; `absent` when the check was never reached. */
  readonly status: Check['status'] | 'absent';
  readonly message: string;
}

export interface Comparison {
  readonly name: string;
  readonly checks: number;
  readonly passedDirectly: number;
  readonly passedThrough: number;
  readonly losses: readonly Loss[];
}

/** Compares two legs on (scenario, check id, occurrence). More passing through the proxy than directly is no loss. */
export function compare(name: string, direct: readonly Check[], through: readonly Check[]): Comparison {
  const passes = (checks: readonly Check[]): Check[] => checks.filter((check) => check.status === 'SUCCESS');
  const found = new Map(through.map((check) => [check.key, check]));
  const losses = passes(direct).flatMap(({ key }): Loss[] => {
    const check = found.get(key);
    if (check?.status === 'SUCCESS') return [];
    return [{ key, status: check?.status ?? 'absent', message: check?.message ?? '' }];
  });
  return {
    name,
    checks: direct.length,
    passedDirectly: passes(direct).length,
    passedThrough: passes(through).length,
    losses,
  };
}

/** The comparisons as a table, and under it every loss with what the suite said. */
export function table(comparisons: readonly Comparison[]): string {
  const header = ['', 'checks', 'direct', 'through', 'lost'];
  const rows = comparisons.map((row) => [
    row.name,
    ...[row.checks, row.passedDirectly, row.passedThrough, row.losses.length].map(String),
  ]);
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ');
  const losses = comparisons.flatMap((row) =>
    row.losses.map(
      (loss) => `${row.name}: ${loss.key} → ${loss.status}${loss.message && `: ${loss.message}`}`,
    ),
  );
  return [line(header), ...rows.map(line), ...losses].join('\n');
}
