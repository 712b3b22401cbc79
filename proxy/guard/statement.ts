/**
 * The same rules over statements as a database gets them: what a tool was asked for and what its server then says to a
 * database need not be the same. Rules that look at SQL of PostgreSQL speak here; the others have spoken of the call.
 */
import type { Rule } from '../../crds/bundle.ts';
import { compileGlobs } from '../../lib/glob.ts';
import { loadSql } from '../engine/sql/classify.ts';
import { UNPARSABLE as UNREADABLE, type ClassifyCommand } from '../engine/shell/facts.ts';
import { variablesOf } from '../engine/variables.ts';
import type { Authorized, ClientRequest, Judgement } from '../exchange.ts';
import { Inspection } from './inspect.ts';
import { reasonOf } from './reason.ts';
import { remembering } from './remember.ts';
import { callerRisk, totalRisk } from './risk.ts';
import { compileRule, type CompiledRule } from './rule.ts';

/** The call that a statement is said for. */
export interface SpokenFor {
  readonly exchange: Authorized<ClientRequest>;
  /** Id of the ApprovalRequest that was consumed for it. */
  readonly approval: string | undefined;
}

export interface StatementGuard {
  /** Whether a rule looks at statements at all. */
  readonly judges: boolean;
  /** What the rules say of a statement. Without a call, those of every tool speak. Never throws. */
  judge(sql: string, call: SpokenFor | undefined): Pick<Judgement, 'decision' | 'reason'>;
}

interface StatementRule {
  readonly compiled: CompiledRule;
  /** Without its condition, which speaks of a call. */
  readonly unconditional: CompiledRule;
  readonly argument: string;
  readonly speaksOf: (tool: string) => boolean;
}

const ALLOWED = { decision: 'allow', reason: 'No rule denies this statement.' } as const;
const unread: ClassifyCommand = () => UNREADABLE;

/** @throws CelError for a condition that does not compile. */
export async function compileStatementGuard(rules: readonly Rule[]): Promise<StatementGuard> {
  const heard = rules.filter(
    ({ match, effect }) => match.sql?.dialect === 'PostgreSQL' && effect !== 'Audit',
  );
  const sql = remembering(await loadSql(heard.length === 0 ? [] : ['PostgreSQL']));
  const compiled = [...heard]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((rule) =>
      compileStatementRule(rule, (known) => compileRule(known, { sql, shell: unread, kubectl: unread })),
    );
  return { judges: compiled.length > 0, judge: (text, call) => judge(text, call, compiled) };
}

/** What else the rule looks at in the arguments has matched or not when the call was judged. */
function compileStatementRule(rule: Rule, compile: (rule: Rule) => CompiledRule): StatementRule {
  const { tools, sql, when, riskAtLeast } = rule.match;
  const unconditional = { ...(sql && { sql }), ...(riskAtLeast !== undefined && { riskAtLeast }) };
  return {
    compiled: compile({ ...rule, match: { ...unconditional, ...(when !== undefined && { when }) } }),
    unconditional: compile({ ...rule, match: unconditional }),
    argument: sql?.argument ?? '',
    speaksOf: compileGlobs(tools ?? ['*']),
  };
}

function judge(
  sql: string,
  call: SpokenFor | undefined,
  rules: readonly StatementRule[],
): Pick<Judgement, 'decision' | 'reason'> {
  const tool = toolOf(call);
  const matched = rules
    .filter(({ speaksOf }) => tool === undefined || speaksOf(tool))
    .flatMap((rule) => matchedBy(rule, sql, call));
  const denied = matched.find(({ rule }) => rule.effect === 'Deny');
  if (denied !== undefined) return { decision: 'deny', reason: denied.reason };
  const [held] = matched;
  return held === undefined ? ALLOWED : { decision: 'hold', reason: held.reason };
}

function matchedBy(
  { compiled, unconditional, argument }: StatementRule,
  sql: string,
  call: SpokenFor | undefined,
): { readonly rule: Rule; readonly reason: string }[] {
  const inspection = new Inspection({ [argument]: sql });
  for (const source of compiled.sources) inspection.find(source);
  const { classes, targets, risk: parts } = inspection.all()[0] ?? { classes: [], targets: [], risk: [] };
  const risk = [...parts, ...(call === undefined ? [] : callerRisk(parts, call.exchange.caller))];
  const total = totalRisk(risk);
  const matches =
    call === undefined
      ? // Nobody knows whether the condition holds, so it might.
        unconditional.matches(inspection, unused, total)
      : compiled.matches(
          inspection,
          () => variablesOf(call.exchange, { classes, targets, risk: total }),
          total,
        );
  return matches
    ? [
        {
          rule: compiled.rule,
          reason: reasonOf(compiled.rule, { classes: [...classes], targets: [...targets], risk }),
        },
      ]
    : [];
}

function unused(): never {
  throw new Error('A rule without a condition asks for no variables.');
}

function toolOf(call: SpokenFor | undefined): string | undefined {
  const target = call?.exchange.message.target;
  return target?.kind === 'tool' ? target.name : undefined;
}

/** Why a statement is refused, where it is: what would be held is refused unless the call itself was approved. */
export function refusalOf(
  { decision, reason }: Pick<Judgement, 'decision' | 'reason'>,
  call: SpokenFor | undefined,
): string | undefined {
  if (decision === 'allow') return undefined;
  if (decision === 'deny') return reason.replaceAll('this call', 'this statement');
  if (call?.approval !== undefined) return undefined;
  return `${reason.replaceAll('this call', 'this statement')} A statement cannot wait; the call that it is said for has to be approved.`;
}
