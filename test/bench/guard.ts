/** What understanding a statement or a command costs: median and 99th percentile in microseconds, over every text of test/corpus. */
import type { SqlDialect } from '../../crds/bundle.ts';
import { loadCommands } from '../../proxy/engine/shell/classify.ts';
import { loadSql } from '../../proxy/engine/sql/classify.ts';
import {
  heldOutKubectlEvil,
  heldOutKubectlHarmless,
  heldOutShellEvil,
  heldOutShellHarmless,
} from '../corpus/held-out/commands.ts';
import { heldOutEvil } from '../corpus/held-out/sql-evil.ts';
import { heldOutHarmless } from '../corpus/held-out/sql-harmless.ts';
import { kubectlBenign, kubectlEvil } from '../corpus/kubectl.ts';
import { mysqlBenign, mysqlEvil } from '../corpus/mysql.ts';
import { postgresqlBenign } from '../corpus/postgresql-benign.ts';
import { postgresqlEvil } from '../corpus/postgresql-evil.ts';
import { shellBenign, shellEvil } from '../corpus/shell.ts';
import { sqliteBenign, sqliteEvil } from '../corpus/sqlite.ts';
import { tsqlBenign, tsqlEvil } from '../corpus/tsql.ts';
import { bigqueryBenign, bigqueryEvil, snowflakeBenign, snowflakeEvil } from '../corpus/warehouses.ts';

export interface GuardFigures {
  readonly language: string;
  readonly texts: number;
  readonly medianMicros: number;
  readonly p99Micros: number;
}

type Evil = readonly (readonly [expected: string, text: string])[];

const TUNED: Readonly<Record<SqlDialect, readonly [Evil, readonly string[]]>> = {
  PostgreSQL: [postgresqlEvil, postgresqlBenign],
  MySQL: [mysqlEvil, mysqlBenign],
  TSQL: [tsqlEvil, tsqlBenign],
  SQLite: [sqliteEvil, sqliteBenign],
  BigQuery: [bigqueryEvil, bigqueryBenign],
  Snowflake: [snowflakeEvil, snowflakeBenign],
};

const textsOf = (evil: Evil, harmless: readonly string[]): string[] => [
  ...evil.map(([, text]) => text),
  ...harmless,
];

/** Long enough for what is measured to be compiled; nothing is remembered between the rounds. */
const ROUNDS = 30;

export async function guardFigures(): Promise<GuardFigures[]> {
  const dialects = heldOutEvil.map(([dialect]) => dialect);
  const sql = await loadSql(dialects);
  const commands = await loadCommands();
  return [
    ...heldOutEvil.map(([dialect, evil]) => {
      const heldOut = heldOutHarmless.find(([name]) => name === dialect)?.[1] ?? [];
      const texts = [...textsOf(...TUNED[dialect]), ...textsOf(evil, heldOut)];
      return measured(dialect, texts, (text) => sql(text, dialect));
    }),
    measured(
      'shell',
      [...textsOf(shellEvil, shellBenign), ...textsOf(heldOutShellEvil, heldOutShellHarmless)],
      (text) => commands.shell(text),
    ),
    measured(
      'kubectl',
      [...textsOf(kubectlEvil, kubectlBenign), ...textsOf(heldOutKubectlEvil, heldOutKubectlHarmless)],
      (text) => commands.kubectl(text),
    ),
  ];
}

/** Of the fastest look at each text: what else the machine does is not asked. */
function measured(
  language: string,
  texts: readonly string[],
  classify: (text: string) => unknown,
): GuardFigures {
  const best = texts.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round += 1) {
    texts.forEach((text, at) => {
      const began = performance.now();
      classify(text);
      best[at] = Math.min(best[at] ?? Number.POSITIVE_INFINITY, performance.now() - began);
    });
  }
  const sorted = best.toSorted((a, b) => a - b);
  const at = (share: number): number => (sorted[Math.floor((sorted.length - 1) * share)] ?? NaN) * 1000;
  return { language, texts: texts.length, medianMicros: at(0.5), p99Micros: at(0.99) };
}

export function guardTable(figures: readonly GuardFigures[]): Record<string, object> {
  return Object.fromEntries(
    figures.map(({ language, texts, medianMicros, p99Micros }) => [
      language,
      { texts, 'median µs': medianMicros.toFixed(1), 'p99 µs': p99Micros.toFixed(1) },
    ]),
  );
}
