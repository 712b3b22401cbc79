import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SqlDialect } from '../../../../crds/bundle.ts';
import { mysqlBenign, mysqlEvil } from '../../../../test/corpus/mysql.ts';
import { sqliteBenign, sqliteEvil } from '../../../../test/corpus/sqlite.ts';
import { tsqlBenign, tsqlEvil } from '../../../../test/corpus/tsql.ts';
import {
  bigqueryBenign,
  bigqueryEvil,
  snowflakeBenign,
  snowflakeEvil,
} from '../../../../test/corpus/warehouses.ts';
import { loadSql, type ClassifySql } from '../classify.ts';

const corpora: readonly [SqlDialect, readonly (readonly [string, string])[], readonly string[]][] = [
  ['MySQL', mysqlEvil, mysqlBenign],
  ['TSQL', tsqlEvil, tsqlBenign],
  ['SQLite', sqliteEvil, sqliteBenign],
  ['BigQuery', bigqueryEvil, bigqueryBenign],
  ['Snowflake', snowflakeEvil, snowflakeBenign],
];

let classify: ClassifySql;
beforeAll(async () => {
  classify = await loadSql(corpora.map(([dialect]) => dialect));
});

describe.each(corpora)('%s', (dialect, evil, benign) => {
  it.each(evil.map(([expected, text]) => ({ expected, text, name: JSON.stringify(text) })))(
    '$expected: $name',
    ({ expected, text }) => {
      expect(classify(text, dialect).classes.join(' ')).toBe(expected);
    },
  );

  it.each(benign.map((text) => ({ text, name: JSON.stringify(text) })))('only reads: $name', ({ text }) => {
    expect(classify(text, dialect)).toMatchObject({ classes: [], functions: [] });
  });

  it('never throws, whatever the text', () => {
    const piece = fc.constantFrom(
      ...'\' " ` [ ] $$ -- # // /* */ ; ( ) \\ @ DELETE FROM SELECT t x r b N \n /*! 1'.split(' '),
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 20 }).map((list) => list.join(' ')),
    );
    fc.assert(
      fc.property(text, (sql) => {
        expect(Array.isArray(classify(sql, dialect).classes)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('finds a statement behind any string, name or comment of the dialect', () => {
    fc.assert(
      fc.property(fc.constantFrom(...benign), (read) => {
        expect(classify(`${read}\n; DROP TABLE t`, dialect).classes).toEqual(['DDL']);
      }),
      { numRuns: 200 },
    );
  });

  it('has the same classes whatever the case of words', () => {
    const plain = evil.filter(([, text]) => /^[\w\s(),;=*.]*$/.test(text));
    fc.assert(
      fc.property(fc.constantFrom(...plain), fc.boolean(), ([expected, text], upper) => {
        const changed = upper ? text.toUpperCase() : text.toLowerCase();
        expect(classify(changed, dialect).classes.join(' ')).toBe(expected);
      }),
    );
  });
});

describe('targets', () => {
  it.each<[SqlDialect, string, string[]]>([
    ['MySQL', 'SELECT * FROM `a` x, b.c AS y JOIN d ON true', ['a', 'b.c', 'd']],
    ['MySQL', 'INSERT INTO a SELECT * FROM b', ['a', 'b']],
    ['MySQL', 'WITH q AS (SELECT * FROM a) SELECT * FROM q', ['a']],
    ['TSQL', 'UPDATE [dbo].[a] SET b = 1 FROM c', ['c', 'dbo.a']],
    ['SQLite', 'DROP TABLE IF EXISTS a', ['a']],
    ['BigQuery', 'TRUNCATE TABLE `p.ds.a`', ['p.ds.a']],
    ['Snowflake', 'MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE', ['a', 'b']],
  ])('in %s of %s', (dialect, text, targets) => {
    expect(classify(text, dialect).targets).toEqual(targets);
  });
});

describe('WHERE', () => {
  it.each<[SqlDialect, string, number]>([
    ['MySQL', 'DELETE FROM a', 1],
    ['MySQL', 'DELETE FROM a WHERE 1', 1],
    ['MySQL', 'DELETE FROM a WHERE 1 = 1', 1],
    ['MySQL', "DELETE FROM a WHERE 'x' = 'x'", 1],
    ['MySQL', 'UPDATE a SET b = 1 WHERE b = b', 1],
    ['MySQL', 'DELETE FROM a WHERE id = 5 || 1 = 1', 1],
    ['TSQL', 'DELETE FROM a WHERE id = 5 OR 1 = 1', 1],
    ['TSQL', "DELETE FROM a WHERE b LIKE '%'", 1],
    ['TSQL', 'DELETE FROM a DELETE FROM b WHERE id = 5', 1],
    ['SQLite', 'DELETE FROM a WHERE true AND b = b', 1],
    ['MySQL', 'DELETE FROM a WHERE id = 5', 0],
    ['MySQL', 'DELETE FROM a WHERE id = 5 AND 1 = 1', 0],
    ['MySQL', 'INSERT INTO a VALUES (1) ON DUPLICATE KEY UPDATE b = 2', 0],
    ['TSQL', 'UPDATE a SET b = 1 WHERE id = @id OR id IN (SELECT id FROM c)', 0],
    ['SQLite', 'DELETE FROM a WHERE id = ?', 0],
    ['BigQuery', 'MERGE a USING b ON a.id = b.id WHEN MATCHED THEN DELETE', 0],
  ])('in %s of %s', (dialect, text, unfiltered) => {
    expect(classify(text, dialect).unfiltered).toHaveLength(unfiltered);
  });
});
