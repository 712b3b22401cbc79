import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { postgresqlBenign } from '../../../../test/corpus/postgresql-benign.ts';
import { postgresqlEvil } from '../../../../test/corpus/postgresql-evil.ts';
import { loadSql, type SqlFacts } from '../classify.ts';

let classify: (text: string) => SqlFacts;
beforeAll(async () => {
  const sql = await loadSql(['PostgreSQL']);
  classify = (text) => sql(text, 'PostgreSQL');
});

const label = (text: string): string => JSON.stringify(text.slice(0, 100));

describe('what does more than read', () => {
  it.each(postgresqlEvil.map(([expected, text]) => ({ expected, text, name: label(text) })))(
    '$expected: $name',
    ({ expected, text }) => {
      expect(classify(text).classes.join(' ')).toBe(expected);
    },
  );
});

describe('what only reads', () => {
  it.each(postgresqlBenign.map((text) => ({ text, name: label(text) })))('$name', ({ text }) => {
    expect(classify(text)).toMatchObject({ classes: [], functions: [] });
  });
});

describe('targets', () => {
  it.each<[string, string[]]>([
    ['SELECT * FROM a JOIN s.b ON true, db.s.c', ['a', 'db.s.c', 's.b']],
    ['WITH q AS (SELECT * FROM a) SELECT * FROM q', ['a']],
    ['WITH a AS (SELECT 1) DELETE FROM a', ['a']],
    ['DELETE FROM a USING b WHERE a.x = b.x', ['a', 'b']],
    ['DROP TABLE a, s.b', ['a', 's.b']],
    ['TRUNCATE a, b', ['a', 'b']],
    ['INSERT INTO a SELECT * FROM b', ['a', 'b']],
    ["DO $$ BEGIN DELETE FROM a; EXECUTE 'DROP TABLE b'; END $$", ['a', 'b']],
    ["COPY a TO PROGRAM 'x'", ['a']],
  ])('of %s', (text, targets) => {
    expect(classify(text).targets).toEqual(targets);
  });

  it('and functions hold no literal', () => {
    const facts = classify("SELECT launch('hunter2'), 'hunter2' FROM a WHERE b = 'hunter2'");
    expect(JSON.stringify(facts)).not.toContain('hunter2');
    expect(facts.functions).toEqual(['launch']);
  });
});

describe('WHERE', () => {
  it.each([
    'DELETE FROM a',
    'UPDATE a SET b = 1',
    'DELETE FROM a WHERE true',
    "DELETE FROM a WHERE 't'::bool",
    'DELETE FROM a WHERE 1 = 1',
    'DELETE FROM a WHERE 1 < 2 AND true',
    "DELETE FROM a WHERE 'x' = 'x'",
    'DELETE FROM a WHERE b = b',
    'DELETE FROM a WHERE a.b >= a.b',
    'DELETE FROM a WHERE NOT b <> b',
    'DELETE FROM a WHERE b IS NOT DISTINCT FROM b',
    'DELETE FROM a WHERE b = 5 OR true',
    'DELETE FROM a WHERE b = 5 OR 1 = 1',
    'DELETE FROM a WHERE (b = 5) OR (c = c)',
    'DELETE FROM a WHERE b IS NULL OR b IS NOT NULL',
    'DELETE FROM a WHERE b = 5 OR NOT b = 5',
    "DELETE FROM a WHERE b LIKE '%'",
    "DELETE FROM a WHERE b ILIKE '%%'",
    "DELETE FROM a WHERE b ~ '.*'",
    'DELETE FROM a WHERE EXISTS (SELECT 1)',
    'DELETE FROM a WHERE coalesce(b = b, true)',
    'DELETE FROM a WHERE now() IS NOT NULL',
    'WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x',
    'EXPLAIN ANALYZE UPDATE a SET b = 1 WHERE 2 > 1',
    'DO $$ BEGIN DELETE FROM a; END $$',
  ])('chooses no rows: %s', (text) => {
    expect(classify(text).unfiltered).toHaveLength(1);
  });

  it.each([
    'DELETE FROM a WHERE id = 5',
    'UPDATE a SET b = 1 WHERE id = $1',
    'DELETE FROM a WHERE id IN (SELECT id FROM b)',
    'DELETE FROM a WHERE CURRENT OF c',
    'DELETE FROM a USING b WHERE a.id = b.id',
    'DELETE FROM a WHERE true AND id = 5',
    'DELETE FROM a WHERE id = 5 OR id = 6',
    'DELETE FROM a WHERE NOT (id = 5)',
    "DELETE FROM a WHERE name LIKE 'x%'",
    'DELETE FROM a WHERE deleted',
    'DELETE FROM a WHERE deleted_at IS NOT NULL',
    'DELETE FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id)',
    'EXPLAIN DELETE FROM a',
    'SELECT 1',
  ])('chooses rows, or there is none to choose: %s', (text) => {
    expect(classify(text).unfiltered).toEqual([]);
  });
});

describe('any text', () => {
  const space = fc.constantFrom(
    ' ',
    '\n',
    '\t',
    '\r\n',
    ' /* SELECT */ ',
    '/**/',
    ' -- x\n',
    '/* /* y */ ; */',
  );
  const plain = postgresqlEvil.filter(([, text]) => /^[\w\s(),;=*.<>+]*$/.test(text) && text.length < 200);

  it('has the same classes whatever its case, space and comments', () => {
    expect(plain.length).toBeGreaterThan(100);
    const varied = fc.record({
      statement: fc.constantFrom(...plain),
      upper: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
      spaces: fc.array(space, { minLength: 7, maxLength: 7 }),
    });
    fc.assert(
      fc.property(varied, ({ statement: [expected, text], upper, spaces }) => {
        let gap = 0;
        const changed = text.replaceAll(/[a-z]|\s+/gi, (part, at: number) => {
          if (/\s/.test(part)) return spaces[gap++ % spaces.length] ?? ' ';
          return upper[at % upper.length] === true ? part.toUpperCase() : part.toLowerCase();
        });
        expect(classify(changed).classes.join(' ')).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps its classes behind and before a read', () => {
    const terminated = plain.filter(([, text]) => !text.includes(';'));
    fc.assert(
      fc.property(fc.constantFrom(...terminated), ([expected, text]) => {
        expect(classify(`SELECT 1;${text};SELECT 2`).classes.join(' ')).toBe(expected);
      }),
    );
  });

  it('is classified without throwing', () => {
    const word = fc.constantFrom(
      ...'SELECT DELETE FROM WHERE t ( ) ; , * = 1 AS WITH EXPLAIN ANALYZE DO $$ BEGIN END EXECUTE UNION INTO :: [ ]'.split(
        ' ',
      ),
      "'a'",
      '"b"',
      '\\',
      '--',
      '/*',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(word, { maxLength: 15 }).map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(text, (sql) => {
        expect(Array.isArray(classify(sql).classes)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
