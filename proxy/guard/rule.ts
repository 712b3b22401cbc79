/** One ApprovalRule, compiled: when does it match? */
import type { Rule, RuleMatch } from '../../crds/bundle.ts';
import { compileCel, type CelVariables } from '../../crds/cel.ts';
import { compileGlobs } from '../../lib/glob.ts';
import type { ClientRequest } from '../exchange.ts';
import { sourcesOf, type Engines, type Finding, type Inspection, type Source } from './inspect.ts';

export interface CompiledRule {
  readonly rule: Rule;
  /** Whether the rule speaks of such a request at all. */
  speaksOf(request: ClientRequest): boolean;
  /** What it wants parsed. */
  readonly sources: readonly Source[];
  /** Whether what was parsed, the risk and the condition all hold. */
  matches(inspection: Inspection, variables: () => CelVariables, risk: number): boolean;
}

/** Requests that do something; the others only look or negotiate. */
const JUDGED = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** @throws CelError for a condition that does not compile. */
export function compileRule(rule: Rule, engines: Engines): CompiledRule {
  const { match } = rule;
  const sources = sourcesOf(match, engines);
  const condition = match.when === undefined ? undefined : compileCel(match.when, 'rule');
  const tests = [
    ...classTest(sources.sql, match.sql?.statements),
    ...classTest(sources.shell, match.shell?.effects),
    ...classTest(sources.kubectl, match.kubectl?.effects),
  ];
  return {
    rule,
    speaksOf: scopeOf(match),
    sources: Object.values(sources).filter((source) => source !== undefined),
    matches: (inspection, variables, risk) => {
      if (risk < (match.riskAtLeast ?? 0)) return false;
      if (!tests.every((test) => test(inspection))) return false;
      const result = condition?.evaluate(variables());
      // A condition that cannot be evaluated might hold (design, section 3).
      return result === undefined || !result.ok || result.value;
    },
  };
}

/** Members that look at a tool make the rule one of tool calls; without them it speaks of prompts and resources too. */
function scopeOf({ tools, sql, shell, kubectl }: RuleMatch): (request: ClientRequest) => boolean {
  const named = compileGlobs(tools ?? ['*']);
  const ofTools = [tools, sql, shell, kubectl].some((member) => member !== undefined);
  return ({ method, target }) => {
    if (!ofTools) return JUDGED.has(method);
    return method === 'tools/call' && target?.kind === 'tool' && named(target.name);
  };
}

/** An empty list is every class. What could not be parsed may be of any class. */
function classTest(
  source: Source | undefined,
  listed: readonly Finding['classes'][number][] | undefined,
): ((inspection: Inspection) => boolean)[] {
  if (source === undefined || listed === undefined) return [];
  const wanted = new Set([...listed, 'Unparsable']);
  return [
    (inspection) => {
      const { classes } = inspection.find(source);
      return classes.some((name) => listed.length === 0 || wanted.has(name));
    },
  ];
}
