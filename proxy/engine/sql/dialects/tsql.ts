/** SQL Server and Azure SQL, from Transact-SQL's reference and its list of reserved keywords. */
import type { SqlClass } from '../../../../crds/bundle.ts';
import { classTable, words, type Dialect } from './dialect.ts';
import type { Token } from './tokens.ts';

const session = `USE BEGIN COMMIT ROLLBACK SAVE REVERT SETUSER KILL SHUTDOWN DBCC CHECKPOINT RECONFIGURE WAITFOR
  DEALLOCATE PRINT RAISERROR GOTO BREAK CONTINUE RETURN WHILE`;

/** An UPDATE and an ALTER have a SET of their own; any further one begins a statement. */
function setsMore(tokens: readonly Token[]): readonly SqlClass[] {
  const count = (word: string): number =>
    tokens.filter(({ kind, text }) => kind === 'word' && text === word).length;
  return count('SET') > count('UPDATE') + count('ALTER') ? ['Session'] : [];
}

export const tsql: Dialect = {
  lex: {
    nestedComments: true,
    strings: `'`,
    names: '"[',
    doubled: `'"]`,
    prefixes: 'n',
    wordExtras: '$#@',
    sigils: '@#',
  },
  leads: classTable([
    [[], 'SELECT WITH DECLARE'],
    [['Insert'], 'INSERT'],
    [['Update'], 'UPDATE UPDATETEXT WRITETEXT'],
    [['Delete'], 'DELETE'],
    [['Merge'], 'MERGE'],
    [['Truncate'], 'TRUNCATE'],
    [['Copy', 'Insert'], 'BULK'],
    [['Copy'], 'BACKUP RESTORE DUMP LOAD COPY'],
    [['DDL'], 'CREATE ALTER DROP ENABLE DISABLE RENAME ADD'],
    [['Grant'], 'GRANT REVOKE DENY'],
    [['Call'], 'EXEC EXECUTE SEND RECEIVE'],
    [['Session'], `${session} SET IF ELSE END THROW OPEN CLOSE FETCH GET MOVE LABEL`],
    [['Unparsable'], 'GO'],
  ]),
  unknownLead: 'Call',
  // A statement needs no semicolon before it here, so a keyword that begins one may stand anywhere.
  anywhere: classTable([
    [['Insert'], 'INSERT'],
    [['Update'], 'UPDATE UPDATETEXT WRITETEXT'],
    [['Delete'], 'DELETE'],
    [['Merge'], 'MERGE'],
    [['Truncate'], 'TRUNCATE'],
    [['Copy', 'Insert'], 'BULK'],
    [['Copy'], 'BACKUP RESTORE DUMP LOAD'],
    [['DDL'], 'CREATE ALTER DROP'],
    [['Grant'], 'GRANT REVOKE DENY'],
    [['Call'], 'EXEC EXECUTE'],
    [['Session'], session],
    [['Unparsable'], 'GO'],
  ]),
  wordFunctions: words('LEFT RIGHT'),
  // INTO a table variable is OUTPUT … INTO, which only keeps what was changed.
  into: (next) => (next.startsWith('@') ? [] : ['DDL']),
  foreign: words(`
    ADD AUTHORIZATION BROWSE CASCADE CHECK CLOSE CLUSTERED COMPUTE CONSTRAINT CURSOR DATABASE DISK DISTRIBUTED ERRLVL EXIT
    EXTERNAL FILE FILLFACTOR FOREIGN IDENTITY_INSERT IDENTITYCOL IF LINENO NOCHECK NONCLUSTERED OFF OPEN PLAN PROC PROCEDURE
    READ READTEXT REFERENCES REPLICATION RESTRICT RULE SCHEMA SECURITYAUDIT STATISTICS TEXTSIZE TRAN TRANSACTION TRIGGER
    TSEQUAL UNIQUE VIEW`),
  functions: words(`
    ACOS APP_NAME BINARY_CHECKSUM CHECKSUM CHECKSUM_AGG CHOOSE COLLATIONPROPERTY COL_LENGTH COL_NAME COLUMNPROPERTY
    CONTAINSTABLE COUNT_BIG CURRENT_TIMEZONE CURRENT_TIMEZONE_ID DATABASEPROPERTYEX DATALENGTH DATEDIFF_BIG DATEFROMPARTS
    DATETIME2FROMPARTS DATETIMEFROMPARTS DATETIMEOFFSETFROMPARTS DATETRUNC DATE_BUCKET DB_ID DB_NAME EOMONTH ERROR_LINE
    ERROR_MESSAGE ERROR_NUMBER ERROR_PROCEDURE ERROR_SEVERITY ERROR_STATE FREETEXT FREETEXTTABLE GETUTCDATE GROUPING_ID
    HASBYTES HASHBYTES HAS_DBACCESS HAS_PERMS_BY_NAME HOST_ID HOST_NAME IDENT_CURRENT IDENT_INCR IDENT_SEED INDEXPROPERTY
    INDEX_COL ISDATE ISJSON ISNUMERIC IS_MEMBER IS_ROLEMEMBER IS_SRVROLEMEMBER JSON_MODIFY JSON_PATH_EXISTS MIN_ACTIVE_ROWVERSION
    NCHAR NEWID NEWSEQUENTIALID OBJECTPROPERTY OBJECTPROPERTYEX OBJECT_DEFINITION OBJECT_ID OBJECT_NAME OBJECT_SCHEMA_NAME
    OPENJSON ORIGINAL_LOGIN PARSE PARSENAME PATINDEX QUOTENAME SCHEMA_ID SCHEMA_NAME SCOPE_IDENTITY SERVERPROPERTY
    SESSIONPROPERTY SESSION_CONTEXT SMALLDATETIMEFROMPARTS STR STRING_ESCAPE STRING_SPLIT STUFF SUSER_ID SUSER_NAME
    SUSER_SID SUSER_SNAME SWITCHOFFSET SYSDATETIME SYSDATETIMEOFFSET SYSUTCDATETIME TERTIARY_WEIGHTS TIMEFROMPARTS
    TODATETIMEOFFSET TRY_PARSE TYPE_ID TYPE_NAME TYPEPROPERTY USER_ID USER_NAME XACT_STATE DECOMPRESS COMPRESS NOLOCK
    READPAST ROWLOCK FORCESEEK MAXDOP HINT PATH`),
  dottedNames: false,
  explain: words(''),
  explainAnalyzeRuns: false,
  special: setsMore,
  dynamic: words('SP_EXECUTESQL SP_EXECUTE SP_PREPEXEC SP_PREPARE OPENQUERY OPENROWSET'),
};
