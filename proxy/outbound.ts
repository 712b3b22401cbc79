/** What leaves for the server: the text and headers of a message, rewritten where a policy says so, credentials put in. */
import { valueAt } from '../lib/json/index.ts';
import { because } from '../lib/sentence.ts';
import { headersFor } from './credential/index.ts';
import { withoutForbidden, type Allowed } from './engine/client-features.ts';
import type { MaskOutcome } from './engine/mask/index.ts';
import type { Masking } from './engine/masking/index.ts';
import type {
  ClientMessage,
  ClientNotification,
  ClientRequest,
  ClientResponse,
  Credentialed,
} from './exchange.ts';
import type { ParameterHeaders } from './forward/parameter-headers.ts';
import { Refusal } from './refusal.ts';

const ARGUMENTS = ['params', 'arguments'];

type Headers = Readonly<Record<string, string>>;

/** A message and its headers as the server gets them. Rejects with a Refusal for what may not be sent. */
export type Outbound = (
  exchange: Credentialed<ClientRequest | ClientNotification | ClientResponse>,
  headers: Headers,
) => Promise<{ readonly text: string; readonly headers: Headers }>;

export interface OutboundOptions {
  /** What the server may ask the client. */
  readonly allowed: Allowed;
  /** Puts back what the client carried for the server; what stood for it was masked like the rest. */
  readonly restore: (text: string, of: Pick<Credentialed, 'message' | 'caller'>) => string;
  /** Told what was masked on the way to the server. */
  readonly onMasked: (outcome: MaskOutcome) => void;
}

export function createOutbound(
  masker: Masking,
  parameters: ParameterHeaders,
  { allowed, restore, onMasked }: OutboundOptions,
): Outbound {
  return async (exchange, headers) => {
    const { message, inject, session } = exchange;
    const tool = toolOf(message);
    if (tool !== undefined && session.era === 'modern')
      parameters.check(tool, () => valueAt(message.text, ARGUMENTS), headers);
    const outcome = await masker.message(withoutForbidden(message, allowed), { purpose: 'request', tool });
    onMasked(outcome);
    if (outcome.kind === 'withheld')
      throw new Refusal('withheld', because('The call was not forwarded', outcome.reason));
    const unchanged = outcome.text === message.text || tool === undefined;
    const travelling = unchanged ? headers : rewritten(outcome.text, tool, headers);
    return { text: restore(outcome.text, exchange), headers: { ...travelling, ...headersFor(inject) } };
  };

  function rewritten(text: string, tool: string, headers: Headers): Headers {
    return parameters.rewrite(tool, valueAt(text, ARGUMENTS), headers, (value) => {
      const masked = masker.text(value, { purpose: 'request', tool });
      return masked.kind === 'released' ? masked.text : '';
    });
  }
}

function toolOf(message: ClientMessage): string | undefined {
  return message.kind === 'request' && message.target?.kind === 'tool' ? message.target.name : undefined;
}
