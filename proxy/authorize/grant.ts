/** One access rule, compiled. */
import type { AccessRule } from '../../crds/bundle.ts';
import { compileCel, type CelVariables } from '../../crds/cel.ts';
import { compileGlobs } from '../../lib/glob.ts';
import { exactArguments } from '../engine/variables.ts';
import type { Caller, Identified, Target } from '../exchange.ts';
import { compileWho } from './who.ts';

/** Who looks, and in which session. */
export type Viewer = Pick<Identified, 'caller' | 'session'>;

/** What a rule is asked about. */
export interface Wish {
  readonly method: string;
  readonly target: Target | undefined;
  /** The text of the message that bears the arguments; undefined where none belong to it, as in a list. */
  readonly text: string | undefined;
}

export interface Grant {
  speaksOf(caller: Caller): boolean;
  covers(target: Target): boolean;
  coversMethod(method: string): boolean;
  /**
   * Whether the condition holds; an error is no grant. Without arguments: whether there may be some with which it
   * would, because a condition over arguments says nothing yet about a tool in a list.
   */
  admits(viewer: Viewer, wish: Wish): boolean;
}

/** Throws CelError for a condition that does not compile. */
export function compileGrant(rule: AccessRule): Grant {
  const names = {
    tool: compileGlobs(rule.tools),
    prompt: compileGlobs(rule.prompts),
    resource: compileGlobs(rule.resources),
  };
  const condition = rule.when === undefined ? undefined : compileCel(rule.when, 'access');
  const readsArguments = /\barguments\b/.test(rule.when ?? '');
  return {
    speaksOf: compileWho(rule.who),
    covers: (target) => names[target.kind](nameOf(target)),
    coversMethod: compileGlobs(rule.methods),
    admits: (viewer, wish) => {
      if (condition === undefined) return true;
      const result = condition.evaluate(variablesOf(viewer, wish));
      return result.ok ? result.value : wish.text === undefined && readsArguments;
    },
  };
}

/** A resource goes by its URI. */
export function nameOf(target: Target): string {
  return target.kind === 'resource' ? target.uri : target.name;
}

function variablesOf(viewer: Viewer, wish: Wish): CelVariables {
  const { target } = wish;
  const name = target && nameOf(target);
  return {
    caller: viewer.caller,
    request: {
      method: wish.method,
      tool: target?.kind === 'tool' ? name : undefined,
      prompt: target?.kind === 'prompt' ? name : undefined,
      resource: target?.kind === 'resource' ? name : undefined,
      name,
      arguments: wish.text === undefined ? undefined : exactArguments(wish.text),
    },
    session: viewer.session,
  };
}
