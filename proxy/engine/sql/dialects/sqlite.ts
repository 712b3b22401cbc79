/** SQLite, from "SQL As Understood By SQLite". */
import { classTable, words, type Dialect } from './dialect.ts';

/** PRAGMAs that only tell, when nothing is assigned (pragma.html). */
const TELLING = words(`
  TABLE_INFO TABLE_XINFO TABLE_LIST INDEX_LIST INDEX_INFO INDEX_XINFO FOREIGN_KEY_LIST FOREIGN_KEY_CHECK DATABASE_LIST
  COLLATION_LIST FUNCTION_LIST MODULE_LIST PRAGMA_LIST COMPILE_OPTIONS PAGE_COUNT FREELIST_COUNT DATA_VERSION
  INTEGRITY_CHECK QUICK_CHECK`);

export const sqlite: Dialect = {
  lex: { strings: `'`, names: '"`[', doubled: `'"\``, prefixes: 'x', wordExtras: '$', sigils: '@$' },
  leads: classTable([
    [[], 'SELECT WITH VALUES EXPLAIN PRAGMA'],
    [['Insert'], 'INSERT'],
    [['Delete', 'Insert'], 'REPLACE'],
    [['Update'], 'UPDATE'],
    [['Delete'], 'DELETE'],
    [['DDL'], 'CREATE ALTER DROP'],
    [['Session'], 'BEGIN COMMIT END ROLLBACK SAVEPOINT RELEASE ATTACH DETACH VACUUM ANALYZE REINDEX'],
  ]),
  unknownLead: 'Unparsable',
  anywhere: classTable([
    [['Insert'], 'INSERT'],
    [['Delete', 'Insert'], 'REPLACE'],
    [['Update'], 'UPDATE'],
    [['Delete'], 'DELETE'],
    [['DDL'], 'CREATE ALTER DROP'],
    [['Session'], 'ATTACH DETACH VACUUM COMMIT'],
  ]),
  wordFunctions: words('REPLACE'),
  into: () => ['Copy'],
  foreign: words(
    'ADD CHECK CONSTRAINT FOREIGN PRIMARY REFERENCES SET TABLE TO TRANSACTION TRIGGER UNIQUE RETURNING',
  ),
  functions: words(`
    CHANGES GLOB JSON JSONB JSON_ARRAY_INSERT JSON_EACH JSON_ERROR_POSITION JSON_GROUP_ARRAY
    JSON_GROUP_OBJECT JSON_INSERT JSON_PATCH JSON_PRETTY JSON_QUOTE JSON_REMOVE JSON_REPLACE JSON_SET JSON_TREE JULIANDAY
    LAST_INSERT_ROWID LIKE LIKELIHOOD LIKELY OCTET_LENGTH PRINTF QUOTE RANDOM RANDOMBLOB SQLITE_COMPILEOPTION_GET
    SQLITE_COMPILEOPTION_USED SQLITE_SOURCE_ID SQLITE_VERSION STRFTIME TIMEDIFF TOTAL TOTAL_CHANGES TYPEOF UNIXEPOCH
    UNISTR UNLIKELY ZEROBLOB BM25 HIGHLIGHT SNIPPET PRAGMA_TABLE_INFO PRAGMA_INDEX_LIST PRAGMA_FOREIGN_KEY_LIST
    PRAGMA_DATABASE_LIST PRAGMA_TABLE_LIST PRAGMA_INDEX_INFO`),
  dottedNames: true,
  // EXPLAIN of a PRAGMA may run it (pragma.html), so EXPLAIN hides nothing here.
  explain: words(''),
  explainAnalyzeRuns: false,
  dynamic: words(''),
  special: (tokens) => {
    const [first, second, dot, third] = tokens;
    if (first?.text !== 'PRAGMA') return [];
    const name = dot?.text === '.' ? third?.text : second?.text;
    return TELLING.has(name ?? '') && !tokens.some(({ text }) => text === '=') ? [] : ['Session'];
  },
};
