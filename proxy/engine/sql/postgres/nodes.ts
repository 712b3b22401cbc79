/** Every node type of PostgreSQL's raw parse tree (gram.y, parsenodes.h), and what a statement of it does. */
import type { SqlClass } from '../../../../crds/bundle.ts';

const words = (text: string): string[] => text.trim().split(/\s+/);

const byClass: readonly (readonly [readonly SqlClass[], string])[] = [
  // Reads, and the frames around other statements: what they contain is walked.
  [[], 'RawStmt SelectStmt VariableShowStmt FetchStmt DeclareCursorStmt ClosePortalStmt ReturnStmt'],
  [['Insert'], 'InsertStmt'],
  [['Update'], 'UpdateStmt'],
  [['Delete'], 'DeleteStmt'],
  [['Merge'], 'MergeStmt'],
  [['Truncate'], 'TruncateStmt'],
  [['Copy'], 'CopyStmt'],
  [['Call'], 'CallStmt DoStmt PrepareStmt ExecuteStmt LoadStmt'],
  [
    ['Session'],
    `TransactionStmt VariableSetStmt DiscardStmt DeallocateStmt ListenStmt UnlistenStmt NotifyStmt LockStmt
     ConstraintsSetStmt CheckPointStmt VacuumStmt ClusterStmt ReindexStmt AlterSystemStmt`,
  ],
  [
    ['Grant'],
    `GrantStmt GrantRoleStmt AlterDefaultPrivilegesStmt CreateRoleStmt AlterRoleStmt AlterRoleSetStmt DropRoleStmt
     SecLabelStmt`,
  ],
  [
    ['DDL', 'Grant'],
    `AlterOwnerStmt DropOwnedStmt ReassignOwnedStmt CreatePolicyStmt AlterPolicyStmt CreateUserMappingStmt
     AlterUserMappingStmt DropUserMappingStmt`,
  ],
  [
    ['DDL'],
    `CreateSchemaStmt AlterTableStmt AlterCollationStmt AlterDomainStmt CreateStmt CreateTableSpaceStmt
     DropTableSpaceStmt AlterTableSpaceOptionsStmt AlterTableMoveAllStmt CreateExtensionStmt AlterExtensionStmt
     AlterExtensionContentsStmt CreateFdwStmt AlterFdwStmt CreateForeignServerStmt AlterForeignServerStmt
     CreateForeignTableStmt ImportForeignSchemaStmt CreateAmStmt CreateTrigStmt CreateEventTrigStmt AlterEventTrigStmt
     CreatePLangStmt CreateSeqStmt AlterSeqStmt DefineStmt CreateDomainStmt CreateOpClassStmt CreateOpFamilyStmt
     AlterOpFamilyStmt DropStmt CommentStmt IndexStmt CreateStatsStmt AlterStatsStmt CreateFunctionStmt
     AlterFunctionStmt RenameStmt AlterObjectDependsStmt AlterObjectSchemaStmt AlterOperatorStmt AlterTypeStmt RuleStmt
     CompositeTypeStmt CreateEnumStmt CreateRangeStmt AlterEnumStmt ViewStmt CreatedbStmt AlterDatabaseStmt
     AlterDatabaseRefreshCollStmt AlterDatabaseSetStmt DropdbStmt CreateTableAsStmt RefreshMatViewStmt
     CreateConversionStmt CreateCastStmt CreateTransformStmt AlterTSDictionaryStmt AlterTSConfigurationStmt
     CreatePublicationStmt AlterPublicationStmt CreateSubscriptionStmt AlterSubscriptionStmt DropSubscriptionStmt
     ReplicaIdentityStmt`,
  ],
];

/** Statement → its classes. EXPLAIN is not here: what it does depends on ANALYZE. */
export const statementClasses: ReadonlyMap<string, readonly SqlClass[]> = new Map(
  byClass.flatMap(([classes, names]) => words(names).map((name) => [name, classes] as const)),
);

/** Nodes that do nothing of their own; their children are walked all the same. */
export const neutralNodes: ReadonlySet<string> = new Set(
  words(`
    Integer Float Boolean String BitString List A_Const Alias RangeVar GroupingFunc MergeSupportFunc NamedArgExpr
    BoolExpr SubLink CaseExpr CaseWhen RowExpr CoalesceExpr MinMaxExpr SQLValueFunction XmlExpr JsonFormat JsonReturning
    JsonValueExpr JsonIsPredicate JsonBehavior NullTest BooleanTest SetToDefault CurrentOfExpr JoinExpr TypeName
    ColumnRef ParamRef A_Expr TypeCast CollateClause RoleSpec FuncCall A_Star A_Indices A_Indirection A_ArrayExpr
    ResTarget MultiAssignRef SortBy WindowDef RangeSubselect RangeFunction RangeTableFunc RangeTableFuncCol
    RangeTableSample ColumnDef TableLikeClause IndexElem DefElem LockingClause XmlSerialize PartitionElem PartitionSpec
    PartitionBoundSpec PartitionRangeDatum PartitionCmd GroupingSet WithClause InferClause OnConflictClause
    CTESearchClause CTECycleClause CommonTableExpr MergeWhenClause ReturningOption ReturningClause TriggerTransition
    JsonOutput JsonArgument JsonFuncExpr JsonTablePathSpec JsonTable JsonTableColumn JsonKeyValue JsonParseExpr
    JsonScalarExpr JsonSerializeExpr JsonObjectConstructor JsonArrayConstructor JsonArrayQueryConstructor
    JsonAggConstructor JsonObjectAgg JsonArrayAgg AlterTableCmd ATAlterConstraint ObjectWithArgs AccessPriv Constraint
    CreateOpClassItem StatsElem FunctionParameter VacuumRelation PublicationTable PublicationObjSpec IntoClause`),
);
