/** ApprovalRule: which calls are denied, wait for a person, or are noted. */
import { z } from 'zod';
import { commandEffect, sqlClass, sqlDialect } from './bundle.ts';
import { celCondition } from './expressions.ts';
import { notification } from './notification.ts';
import type { CrossRule } from './shapes.ts';
import { duration, globs, line, texts, withRules } from './shapes.ts';
import { targetMembers, targetRules } from './targets.ts';

const argument = line(256).describe('The argument of the tool that holds the text.');

const sql = z.strictObject({
  dialect: sqlDialect,
  argument: argument.default('sql'),
  statements: z
    .array(sqlClass)
    .min(1)
    .max(16)
    .optional()
    .describe('Classes that match; without it those of the preset, else all.'),
});

const command = (
  name: string,
): z.ZodType<{ argument: string; effects?: z.output<typeof commandEffect>[] | undefined }> =>
  z.strictObject({
    argument: argument.default(name),
    effects: z.array(commandEffect).min(1).max(8).optional().describe('Effects that match.'),
  });

const matchMembers = z.strictObject({
  tools: globs.min(1).optional(),
  sql: sql.optional(),
  shell: command('command').optional(),
  kubectl: command('command').optional(),
  preset: z
    .enum(['DestructiveSQL', 'DestructiveShell', 'DestructiveKubernetes'])
    .optional()
    .describe('sql, shell or kubectl filled in; given beside it, that member says dialect and argument.'),
  when: celCondition('rule').optional().describe('CEL over caller, request, session and call.'),
  riskAtLeast: z.int().min(0).max(100).optional(),
});

type Match = z.output<typeof matchMembers>;

const NAMES = Object.keys(matchMembers.shape);

const matchRules: readonly CrossRule<Match>[] = [
  {
    cel: NAMES.map((name) => `has(self.${name})`).join(' || '),
    message: `must have at least one of ${NAMES.join(', ')}; tools: ["*"] matches every tool`,
    holds: (match) => Object.values(match).some((member) => member !== undefined),
  },
  {
    cel: '!has(self.preset) || !(has(self.sql) && has(self.sql.statements) || has(self.shell) && has(self.shell.effects) || has(self.kubectl) && has(self.kubectl.effects))',
    message: 'must not have statements or effects beside preset, which fills them in',
    holds: ({ preset, sql, shell, kubectl }) =>
      preset === undefined ||
      [sql?.statements, shell?.effects, kubectl?.effects].every((list) => list === undefined),
  },
];

const approvers = withRules(
  z.strictObject({
    users: texts.default([]),
    groups: texts.default([]),
    count: z.int().min(1).max(10).default(1).describe('How many different people must approve.'),
    notTheRequester: z.boolean().default(true),
  }),
  [
    {
      cel: 'size(self.groups) > 0 || size(self.users) == 0 || size(self.users) >= self.count',
      message: 'must name at least as many users as count says',
      holds: ({ users, groups, count }) => groups.length > 0 || users.length === 0 || users.length >= count,
    },
  ],
);

const members = z.strictObject({
  ...targetMembers,
  match: withRules(matchMembers, matchRules).describe('All that are given must hold.'),
  effect: z.enum(['RequireApproval', 'Deny', 'Audit']).default('RequireApproval'),
  approvers: approvers.optional(),
  expiresAfter: duration('1s', '7d').prefault('15m'),
  notify: z.array(notification).max(16).default([]),
});

export type ApprovalRuleSpec = z.output<typeof members>;

const rules: readonly CrossRule<ApprovalRuleSpec>[] = [
  ...targetRules,
  {
    cel: "self.effect != 'RequireApproval' || has(self.approvers) && size(self.approvers.users) + size(self.approvers.groups) > 0",
    message: 'must have approvers with at least one group or user where effect is RequireApproval',
    holds: ({ effect, approvers: named }) =>
      effect !== 'RequireApproval' || (named !== undefined && named.users.length + named.groups.length > 0),
  },
];

export const approvalRuleSpec = withRules(members, rules);
