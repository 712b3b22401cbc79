/** What the operator is asked to approve: who wants what, why it is held, and a preview that shows nothing masked. */
import type { ApprovalDemand } from '#control';
import { locate } from '../../lib/json/index.ts';
import type { Authorized, ClientRequest, Judgement, Target } from '../exchange.ts';
import type { Masking } from '../engine/masking/index.ts';

const MAX_PREVIEW = 4096;

export async function demandOf(
  exchange: Authorized<ClientRequest>,
  judgement: Judgement & { readonly rule: string; readonly ruleRevision: string },
  about: { readonly gateway: string; readonly digest: string; readonly masker: Masking },
): Promise<ApprovalDemand> {
  const { caller, message } = exchange;
  return {
    gateway: about.gateway,
    rule: { name: judgement.rule, revision: judgement.ruleRevision },
    requester: {
      provider: caller.provider,
      issuer: caller.issuer,
      subject: caller.subject,
      username: caller.username,
      groups: [...caller.groups],
    },
    call: {
      server: about.gateway,
      tool: targetName(message.target) ?? message.method,
      digest: about.digest,
      preview: await preview(message, about.masker),
      risk: judgement.risk,
      parsed: judgement.parsed,
    },
  };
}

async function preview(message: ClientRequest, masker: Masking): Promise<string> {
  const masked = await masker.message(message.text, { purpose: 'record', tool: targetName(message.target) });
  if (masked.kind === 'withheld') return `[the arguments are not shown: ${masked.reason}]`;
  const span = locate(masked.text, ['params', 'arguments']);
  const text = span === undefined ? '' : masked.text.slice(span.start, span.end);
  return text.length > MAX_PREVIEW ? `${text.slice(0, MAX_PREVIEW - 1)}…` : text;
}

export function targetName(target: Target | undefined): string | undefined {
  if (target === undefined) return undefined;
  return target.kind === 'resource' ? target.uri : target.name;
}
