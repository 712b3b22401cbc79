/** What an approver is shown of a request, the same in every channel, as plain lines. Pure. */
import { JsonTextError, locate, members, scanJson, stringValue } from '../../lib/json/index.ts';
import { plainText } from '../../lib/plain-text.ts';
import { gatewayOf, type ApprovalRequest } from './object.ts';

export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** Who asks for what and why it is held, one fact a line; all of it is plain text. */
export function factsOf(request: ApprovalRequest): readonly Fact[] {
  const { metadata, spec, status } = request;
  const { call, requester, rule, approvers } = spec;
  const outcome = status.outcome === undefined ? '' : `, ${status.outcome.toLowerCase()}`;
  const groups = requester.groups.join(', ') || 'none';
  const facts: [string, string][] = [
    ['Approval', metadata.name],
    ['Phase', `${status.phase}${outcome}`],
    ['Requester', `${requester.username} (${requester.provider}; groups: ${groups})`],
    ['Gateway', gatewayOf(request)],
    ['Tool', call.tool],
    ['Does', [...call.parsed.classes, ...call.parsed.targets].join(', ') || 'nothing that was recognized'],
    ['Risk', [`${call.risk} of 100`, ...call.parsed.risk.map(riskPart)].join('; ')],
    ['Held by', `rule ${rule.name}`],
    ...(approvers === undefined || approvers.count === 1
      ? []
      : [['Approvers', `${approvers.count} people must approve`] satisfies [string, string]]),
    ['Created', metadata.creationTimestamp],
    ['Expires', spec.expiresAt],
  ];
  return [...facts.map(([name, value]) => ({ name, value: plainText(value) })), ...decisionsOf(request)];
}

/** Who decided what, as lines of their own. */
export function decisionsOf({ spec }: ApprovalRequest): readonly Fact[] {
  return spec.decisions.map(({ verdict, by, at, via, comment }) => ({
    name: verdict === 'Approve' ? 'Approved' : 'Denied',
    value: plainText(`by ${by} at ${at} via ${via}${comment === undefined ? '' : `: ${comment}`}`),
  }));
}

/** What would run, the way a diff shows what is added: each argument, and each line of a text in it, by itself. */
export function callLines({ metadata, spec }: ApprovalRequest): readonly string[] {
  const { call } = spec;
  const head = `@@ ${plainText(call.tool)} at ${metadata.namespace}/${spec.gateway} @@`;
  return [head, ...argumentLines(call.preview).map((line) => `+ ${plainText(line)}`)];
}

/** A preview that was cut short is no JSON any more, and is shown as it stands. */
function argumentLines(preview: string): string[] {
  if (preview === '') return [];
  const span = isJson(preview) ? locate(preview, []) : undefined;
  const found = span === undefined ? [] : members(preview, span);
  if (found.length === 0) return preview.split('\n');
  return found.flatMap(({ key, value }) => {
    const text = preview.slice(value.start, value.end);
    // Not parsed: a number is shown with all of its digits.
    const [first = '', ...more] = (text.startsWith('"') ? stringValue(text, 0, text.length) : text).split(
      '\n',
    );
    return [`${key}: ${first}`, ...more.map((line) => `  ${line}`)];
  });
}

const IGNORE = (): void => undefined;
const DEAF = {
  ...{ openObject: IGNORE, openArray: IGNORE, closeObject: IGNORE, closeArray: IGNORE },
  ...{ key: IGNORE, string: IGNORE, number: IGNORE, literal: IGNORE },
};

function isJson(text: string): boolean {
  try {
    scanJson(text, DEAF);
    return true;
  } catch (error) {
    if (error instanceof JsonTextError) return false;
    throw error;
  }
}

function riskPart({ reason, points }: { reason: string; points: number }): string {
  return `${reason} (${points})`;
}
