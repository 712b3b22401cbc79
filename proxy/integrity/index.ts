/**
 * Whether a tool is still the one that was accepted. A definition that is another one than the gateway's pins say, or
 * than was first seen, never reaches a client, and the tool cannot be called before somebody accepts the change.
 */
import type { ToolPolicy } from '../../crds/bundle.ts';
import type { JsonSpan } from '../../lib/json/index.ts';
import { toolDefinition } from '../engine/tool-definition.ts';
import type { ClientMessage } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import type { KnownTools } from './known-tools.ts';

export { KnownTools } from './known-tools.ts';

export interface ToolIntegrity {
  /** Whether a client may see this element of a list of tools. */
  meets(text: string, element: JsonSpan): boolean;
  /** Throws a Refusal for a call of a tool that is not, or no longer, accepted. */
  check(message: ClientMessage): void;
}

export interface IntegrityDeps {
  readonly known: KnownTools;
  /** Whether what is seen first is held by from then on. */
  readonly remember: boolean;
  /** Told once of each definition that is not accepted. One sentence. */
  readonly onChanged: (sentence: string) => void;
  /** Told that there is something that the operator should hear of. */
  readonly onNews: () => void;
}

export function createToolIntegrity(policy: ToolPolicy, deps: IntegrityDeps): ToolIntegrity {
  const { known } = deps;
  if (policy.integrity === 'Off') return { meets: () => true, check: () => undefined };
  const pinned = Map.groupBy(policy.pins, ({ name }) => name);

  /** The digests that a tool may have; undefined where there are none yet. */
  const acceptedOf = (name: string): readonly string[] | undefined => {
    const pins = pinned.get(name);
    if (pins !== undefined) return pins.map(({ digest }) => digest);
    if (policy.integrity === 'Pinned') return [];
    const first = known.firstOf(name);
    return first === undefined ? undefined : [first];
  };

  return {
    meets: (text, element) => {
      const definition = toolDefinition(text, element);
      if (definition === undefined) return false;
      const { name, digest } = definition;
      const accepted = acceptedOf(name);
      const isNews = known.note(name, digest);
      if (isNews) deps.onNews();
      if (accepted === undefined) return !deps.remember || known.pinFirst(name, digest);
      if (accepted.includes(digest)) return true;
      if (isNews) deps.onChanged(sentenceFor(name, digest, accepted));
      return false;
    },
    check: (message) => {
      if (message.kind !== 'request' || message.method !== 'tools/call') return;
      const name = message.target?.kind === 'tool' ? message.target.name : '';
      const accepted = acceptedOf(name);
      const last = known.lastOf(name);
      const isRefused =
        accepted === undefined
          ? !known.hasRoomFor(name)
          : accepted.length === 0 || (last !== undefined && !accepted.includes(last));
      if (isRefused) throw changed(name, accepted);
    },
  };
}

function changed(name: string, accepted: readonly string[] | undefined): Refusal {
  const what =
    accepted === undefined || accepted.length === 0
      ? 'has a definition that nobody has accepted'
      : 'has changed since it was accepted';
  return new Refusal(
    'tool_changed',
    `The tool ${JSON.stringify(name)} ${what}; it cannot be called before the people who run this gateway accept it.`,
  );
}

function sentenceFor(name: string, digest: string, accepted: readonly string[]): string {
  const before = accepted.length === 0 ? 'is not pinned' : `has changed (accepted: ${accepted.join(', ')})`;
  return `The tool ${JSON.stringify(name)} ${before}; its definition is now ${digest}. It is hidden and refused.`;
}
