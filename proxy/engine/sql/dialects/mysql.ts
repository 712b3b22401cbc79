/** MySQL 8 and MariaDB, from their manuals' "SQL Statements" and "Keywords and Reserved Words". */
import type { SqlClass } from '../../../../crds/bundle.ts';
import { classTable, words, type Dialect } from './dialect.ts';
import type { Token } from './tokens.ts';

/** INTO TABLE says where LOAD puts its rows; INTO another word is a variable. */
const INTO: Readonly<Partial<Record<string, readonly SqlClass[]>>> = {
  OUTFILE: ['Copy'],
  DUMPFILE: ['Copy'],
  TABLE: [],
};
const SESSION: readonly SqlClass[] = ['Session'];
const GRANT: readonly SqlClass[] = ['Grant'];
const definitions = 'CREATE ALTER DROP RENAME INSTALL UNINSTALL';

export const mysql: Dialect = {
  lex: {
    dashNeedsSpace: true,
    hashComment: true,
    executableComments: 'run',
    strings: `'"`,
    names: '`',
    stringEscapes: true,
    doubled: `'"\``,
    prefixes: 'nxb',
    wordExtras: '$',
    sigils: '@',
  },
  leads: classTable([
    [[], 'SELECT WITH VALUES TABLE SHOW DESCRIBE DESC EXPLAIN HELP'],
    [['Insert'], 'INSERT'],
    [['Delete', 'Insert'], 'REPLACE'],
    [['Update'], 'UPDATE'],
    [['Delete'], 'DELETE'],
    [['Truncate'], 'TRUNCATE'],
    [['Copy', 'Insert'], 'LOAD'],
    [['Copy'], 'CLONE'],
    [['DDL'], definitions],
    [['Copy', 'DDL'], 'IMPORT'],
    [['Grant'], 'GRANT REVOKE'],
    [['Call'], 'CALL DO PREPARE EXECUTE'],
    [
      ['Session'],
      `SET USE BEGIN START COMMIT ROLLBACK SAVEPOINT RELEASE LOCK UNLOCK XA FLUSH KILL RESET PURGE CHANGE STOP ANALYZE
       OPTIMIZE REPAIR CHECK CHECKSUM CACHE HANDLER DEALLOCATE SHUTDOWN RESTART BINLOG SIGNAL RESIGNAL GET DECLARE OPEN
       FETCH CLOSE IF CASE LOOP WHILE REPEAT LEAVE ITERATE RETURN END ELSE ELSEIF UNTIL BACKUP`,
    ],
  ]),
  unknownLead: 'Unparsable',
  anywhere: classTable([
    [['Insert'], 'INSERT'],
    [['Delete', 'Insert'], 'REPLACE'],
    [['Update'], 'UPDATE'],
    [['Delete'], 'DELETE'],
    [['DDL'], 'CREATE ALTER DROP'],
    [['Grant'], 'GRANT REVOKE'],
    [['Call'], 'CALL'],
    [['Copy'], 'INFILE OUTFILE DUMPFILE'],
    [['Session'], 'LOCK'],
  ]),
  wordFunctions: words('INSERT REPLACE LEFT RIGHT IF REPEAT'),
  into: (next) => INTO[next] ?? ['Session'],
  foreign: words(`
    ACCESSIBLE ADD ASENSITIVE BEFORE CASCADE CHANGE CHECK CONDITION CONSTRAINT CONTINUE CURSOR DECLARE DELAYED DETERMINISTIC
    EACH ELSEIF ENCLOSED ESCAPED EXIT FOREIGN FULLTEXT GET INOUT INSENSITIVE ITERATE KILL LEAVE LINEAR LOAD LOOP
    LOW_PRIORITY MODIFIES OPTIMIZE OPTIONALLY OUT PROCEDURE PURGE READS READ_WRITE REFERENCES RELEASE RENAME REQUIRE RESIGNAL
    RESTRICT RETURN SENSITIVE SET SIGNAL SPECIFIC SQLEXCEPTION SQLSTATE SQLWARNING TERMINATED TRIGGER UNDO UNIQUE UNLOCK
    USAGE WHILE WRITE`),
  functions: words(`
    ADDDATE ADDTIME AES_DECRYPT AES_ENCRYPT BIN BIN_TO_UUID BIT_COUNT COLLATION COERCIBILITY CONNECTION_ID CONV CONVERT_TZ
    CURDATE CURTIME CURRENT_ROLE DATABASE SCHEMA DEFAULT ELT EXPORT_SET EXTRACTVALUE FIELD FIND_IN_SET FOUND_ROWS FROM_DAYS
    FROM_UNIXTIME GET_FORMAT GTID_SUBSET GTID_SUBTRACT ICU_VERSION INET_ATON INET_NTOA INET6_ATON INET6_NTOA INTERVAL
    IS_IPV4 IS_IPV6 IS_UUID JSON_ARRAYAGG JSON_ARRAY_APPEND JSON_ARRAY_INSERT JSON_CONTAINS_PATH JSON_DEPTH JSON_INSERT
    JSON_MERGE_PATCH JSON_MERGE_PRESERVE JSON_OBJECTAGG JSON_OVERLAPS JSON_PRETTY JSON_QUOTE JSON_REMOVE JSON_REPLACE
    JSON_SCHEMA_VALID JSON_SEARCH JSON_SET JSON_STORAGE_SIZE JSON_TABLE JSON_UNQUOTE LAST_INSERT_ID LCASE MAKEDATE MAKETIME
    MAKE_SET MATCH MEMBER MICROSECOND NAME_CONST OCT ORD PERIOD_ADD PERIOD_DIFF QUOTE RANDOM_BYTES REGEXP_SUBSTR
    ROW_COUNT SEC_TO_TIME SHA SHA2 STATEMENT_DIGEST STD STRCMP STR_TO_DATE SUBDATE SUBSTRING_INDEX SUBTIME TIMEDIFF
    TIME_FORMAT TIME_TO_SEC TO_DAYS TO_SECONDS TRUNCATE UNIX_TIMESTAMP UPDATEXML UTC_DATE UTC_TIME UTC_TIMESTAMP UUID_SHORT
    UUID_TO_BIN VALIDATE_PASSWORD_STRENGTH VALUES WEEKOFYEAR WEIGHT_STRING YEARWEEK ST_ASTEXT ST_DISTANCE ST_CONTAINS
    ST_WITHIN ST_X ST_Y ST_GEOMFROMTEXT POINT BIT_XOR`),
  dottedNames: true,
  explain: words('EXPLAIN DESC DESCRIBE'),
  explainAnalyzeRuns: true,
  dynamic: words('PREPARE IMMEDIATE'),
  special: (tokens) => [...(setsVariable(tokens) ? SESSION : []), ...(setsRights(tokens) ? GRANT : [])],
};

/** `@a := 1` sets a variable of the session wherever it stands. */
function setsVariable(tokens: readonly Token[]): boolean {
  return tokens.some(
    ({ kind }, at) => kind === 'variable' && tokens[at + 1]?.text === ':' && tokens[at + 2]?.text === '=',
  );
}

/** SET PASSWORD and SET DEFAULT ROLE change accounts, not the session. */
function setsRights([lead, what, next]: readonly Token[]): boolean {
  return (
    lead?.text === 'SET' && (what?.text === 'PASSWORD' || (what?.text === 'DEFAULT' && next?.text === 'ROLE'))
  );
}
