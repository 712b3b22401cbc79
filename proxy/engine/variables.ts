/** What conditions in CEL may speak of, taken from an exchange. */
import type { CelVariables } from '../../crds/cel.ts';
import { locate } from '../../lib/json/index.ts';
import type { ClientRequest, Identified } from '../exchange.ts';

/** `arguments` is read from the text where a condition asks for it, so that no number of it is rounded. */
export function variablesOf(
  { caller, session, message }: Identified<ClientRequest>,
  call: NonNullable<CelVariables['call']>,
): CelVariables {
  const { target, method, text } = message;
  const name = target?.kind === 'resource' ? target.uri : target?.name;
  return {
    caller,
    session,
    call,
    request: {
      method,
      name,
      tool: target?.kind === 'tool' ? name : undefined,
      prompt: target?.kind === 'prompt' ? name : undefined,
      resource: target?.kind === 'resource' ? name : undefined,
      get arguments() {
        return exactArguments(text);
      },
    },
  };
}

type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;
/** The type of the standard library lacks the third argument of the reviver. */
const parse: (text: string, reviver: Reviver) => unknown = JSON.parse;

/** The arguments of a validated message, whole numbers beyond 2^53 as bigint. Without any: an empty object. */
export function exactArguments(text: string): unknown {
  const span = locate(text, ['params', 'arguments']);
  if (span === undefined) return {};
  return parse(text.slice(span.start, span.end), (_key, value, context) => {
    const inexact = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
    const source = context?.source ?? '';
    return inexact && /^-?\d+$/.test(source) ? BigInt(source) : value;
  });
}
