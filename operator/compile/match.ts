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
  const { tools, when, riskAtLeast } = match;
  return {
    ...(tools !== undefined && { tools }),
    ...sqlOf(match),
    ...shellOf(match),
    ...kubectlOf(match),
    ...(when !== undefined && { when }),
    ...(riskAtLeast !== undefined && { riskAtLeast }),
  };
}

function sqlOf({ sql, preset }: Match): Pick<RuleMatch, 'sql'> {
  const destructive = preset === 'DestructiveSQL';
  if (sql === undefined && !destructive) return {};
  const { dialect, argument, statements } = sql ?? { dialect: 'PostgreSQL', argument: 'sql' };
  const classes = destructive ? DESTRUCTIVE_SQL : sqlClass.options;
  return { sql: { dialect, argument, statements: statements ?? [...classes] } };
}

function shellOf({ shell, preset }: Match): Pick<RuleMatch, 'shell'> {
  if (shell === undefined && preset !== 'DestructiveShell') return {};
  const { argument, effects } = shell ?? { argument: 'command' };
  return { shell: { argument, effects: effects ?? [...SHELL_DEFAULT] } };
}

function kubectlOf({ kubectl, preset }: Match): Pick<RuleMatch, 'kubectl'> {
  if (kubectl === undefined && preset !== 'DestructiveKubernetes') return {};
  const { argument, effects } = kubectl ?? { argument: 'command' };
  return { kubectl: { argument, effects: effects ?? [...KUBECTL_DEFAULT] } };
}
