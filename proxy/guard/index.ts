/**
 * Stage 4: what would this call do, and may it? Every rule that speaks of the call is asked; Deny wins over
 * RequireApproval, that over Audit, and among equals the first by name decides (design, section 3).
 */
import type { Rule } from '../../crds/bundle.ts';
import { UNPARSABLE, type ClassifyCommand } from '../engine/shell/facts.ts';
import { loadSql } from '../engine/sql/classify.ts';
import { variablesOf } from '../engine/variables.ts';
import type { Authorized, ClientRequest, Judgement } from '../exchange.ts';
import { Inspection, type Engines } from './inspect.ts';
import { ALLOWED, reasonOf } from './reason.ts';
import { callerRisk, totalRisk } from './risk.ts';
import { remembering } from './remember.ts';
import { compileRule, type CompiledRule } from './rule.ts';

export interface Guard {
  /** By namespace/name. */
  readonly rules: ReadonlyMap<string, Rule>;
  /** Never throws: what cannot be understood matches the rules that needed to understand it. */
  judge(exchange: Authorized<ClientRequest>): Judgement;
}

/**
 * Compiles the rules of a gateway and loads the parsers that they need, and no others.
 * @throws CelError for a condition that does not compile.
 */
export async function compileGuard(rules: readonly Rule[]): Promise<Guard> {
  const engines = await loadEngines(rules);
  const sorted = [...rules].sort((a, b) => (a.name < b.name ? -1 : 1));
  const compiled = sorted.map((rule) => compileRule(rule, engines));
  return {
    rules: new Map(rules.map((rule) => [rule.name, rule])),
    judge: (exchange) => judge(exchange, compiled),
  };
}

async function loadEngines(rules: readonly Rule[]): Promise<Engines> {
  const matches = rules.map(({ match }) => match);
  const sql = remembering(await loadSql(matches.flatMap((match) => match.sql?.dialect ?? [])));
  const commands = matches.some(({ shell, kubectl }) => shell !== undefined || kubectl !== undefined);
  if (!commands) return { sql, shell: unread, kubectl: unread };
  // What reads commands reads the SQL inside them too; a gateway without such rules does not pay for it.
  const { loadCommands } = await import('../engine/shell/classify.ts');
  return { sql, ...(await loadCommands()) };
}

const unread: ClassifyCommand = () => UNPARSABLE;

/** More would not help an approver, and names in a call are its caller's to choose. */
const MAX_TARGETS = 64;

function judge(exchange: Authorized<ClientRequest>, rules: readonly CompiledRule[]): Judgement {
  const asked = rules.filter((rule) => rule.speaksOf(exchange.message));
  if (asked.length === 0) return ALLOWED;
  const inspection = new Inspection(exchange.message.params['arguments']);
  for (const rule of asked) rule.sources.forEach((source) => inspection.find(source));

  const parsed = parsedCall(inspection, exchange);
  const risk = totalRisk(parsed.risk);
  const variables = variablesOf(exchange, { classes: parsed.classes, targets: parsed.targets, risk });
  const matched = asked
    .filter((rule) => rule.matches(inspection, () => variables, risk))
    .map(({ rule }) => rule);

  const deciding =
    matched.find(({ effect }) => effect === 'Deny') ??
    matched.find(({ effect }) => effect === 'RequireApproval');
  return {
    decision: decisionOf(deciding),
    rule: deciding?.name,
    ruleRevision: deciding?.revision,
    reason: reasonOf(deciding, parsed),
    risk,
    parsed,
    audited: matched.filter(({ effect }) => effect === 'Audit').map(({ name }) => name),
  };
}

function decisionOf(rule: Rule | undefined): Judgement['decision'] {
  if (rule === undefined) return 'allow';
  return rule.effect === 'Deny' ? 'deny' : 'hold';
}

function parsedCall(inspection: Inspection, { caller }: Authorized<ClientRequest>): Judgement['parsed'] {
  const findings = inspection.all();
  const parts = findings.flatMap(({ risk }) => [...risk]);
  return {
    classes: sortedUnique(findings.flatMap(({ classes }) => [...classes])),
    targets: sortedUnique(findings.flatMap(({ targets }) => [...targets])).slice(0, MAX_TARGETS),
    risk: [...parts, ...callerRisk(parts, caller)],
  };
}

function sortedUnique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
