/** spec.match of an ApprovalRule → what a proxy evaluates: presets and defaults written out. */
import { commandEffect, sqlClass, type CommandEffect, type RuleMatch, type SqlClass } from '#bundle';
import type { ApprovalRule } from '#crds';

type Match = ApprovalRule['spec']['match'];

/**
 * What preset DestructiveSQL matches: what changes or takes away what is there, what hands out rights, what moves
 * data past the result, and what cannot be told. Inserts and settings of the session are not among it.
 */
export const DESTRUCTIVE_SQL: readonly SqlClass[] = [
  'Update',
  'Delete',
  'Merge',
  'Truncate',
  'DDL',
  'Grant',
  'Copy',
  'Call',
  'Unparsable',
];
const SHELL_DEFAULT: readonly CommandEffect[] = ['Destructive', 'Dynamic', 'Unparsable'];
const KUBECTL_DEFAULT: readonly CommandEffect[] = commandEffect.options.filter((effect) => effect !== 'Read');

export function compileMatch(match: Match): RuleMatch {
  const { tools, preset, when, riskAtLeast } = match;
  const sql =
    match.sql ?? (preset === 'DestructiveSQL' ? { dialect: 'PostgreSQL', argument: 'sql' } : undefined);
  const shell = match.shell ?? (preset === 'DestructiveShell' ? { argument: 'command' } : undefined);
  const kubectl = match.kubectl ?? (preset === 'DestructiveKubernetes' ? { argument: 'command' } : undefined);
  const classes = preset === 'DestructiveSQL' ? DESTRUCTIVE_SQL : sqlClass.options;
  return {
    ...(tools && { tools }),
    ...(sql && {
      sql: { dialect: sql.dialect, argument: sql.argument, statements: sql.statements ?? [...classes] },
    }),
    ...(shell && { shell: { argument: shell.argument, effects: shell.effects ?? [...SHELL_DEFAULT] } }),
    ...(kubectl && {
      kubectl: { argument: kubectl.argument, effects: kubectl.effects ?? [...KUBECTL_DEFAULT] },
    }),
    ...(when !== undefined && { when }),
    ...(riskAtLeast !== undefined && { riskAtLeast }),
  };
}
