/** Refusals as the client's protocol revision writes them. */
import type { ClientRequest, Era } from '../exchange.ts';
import type { Refusal } from '../refusal.ts';

/** Of our own: JSON-RPC leaves positive codes to applications (MCP, Error Codes). */
export const REFUSED = 4403;

/** What is being refused. `id` is raw JSON text, `null` where no request is known. */
export interface Refused {
  readonly id: string;
  readonly method: string | undefined;
  readonly era: Era;
}

/** The JSON-RPC message that tells the client of a refusal: a tool result that models can read, or an error. */
export function refusalMessage(refusal: Refusal, request: ClientRequest | undefined, era: Era): string {
  return refusalText(refusal, { id: JSON.stringify(request?.id ?? null), method: request?.method, era });
}

/** refusalMessage for a request of which only the id and the method are at hand. */
export function refusalText(refusal: Refusal, { id, method, era }: Refused): string {
  const body =
    refusal.as === 'tool' && method === 'tools/call'
      ? `"result":${JSON.stringify(toolResult(refusal, era))}`
      : `"error":${JSON.stringify(errorObject(refusal))}`;
  return `{"jsonrpc":"2.0","id":${id},${body}}`;
}

function toolResult(refusal: Refusal, era: Era): object {
  return {
    ...(era === 'modern' && { resultType: 'complete' }),
    content: [{ type: 'text', text: refusal.message }],
    isError: true,
  };
}

function errorObject(refusal: Refusal): object {
  return {
    code: refusal.as === 'tool' ? REFUSED : refusal.as,
    message: refusal.message,
    ...(refusal.data && { data: refusal.data }),
  };
}
