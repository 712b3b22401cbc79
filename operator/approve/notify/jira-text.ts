/** What issues and comments say, in the Atlassian Document Format: text nodes, which nothing in them can leave. Pure. */
import type { ApprovalPhase } from '../../../crds/control.ts';
import { plainText } from '../../../lib/plain-text.ts';
import type { ApprovalRequest } from '../object.ts';
import { callLines, decisionsOf, factsOf } from '../view.ts';
import type { Notice } from './channel.ts';
import type { JiraSettings } from './settings.ts';

const SAID: Readonly<Record<ApprovalPhase, string>> = {
  Pending: 'This call waits for approval again.',
  Approved: 'Approved: the call runs, once.',
  Denied: 'Denied: the call does not run.',
  Expired: 'Expired: nobody decided in time, so the call does not run.',
  Cancelled: 'Cancelled: the caller went away, so the call does not run.',
  Consumed: 'Approved: the call runs, once.',
};

const MAX_SUMMARY = 255;

export function labelOf(id: string): string {
  return `gatehouse-${id}`;
}

export function summaryOf({ metadata, spec }: ApprovalRequest): string {
  const text = `Approve ${spec.call.tool} of ${spec.requester.username} at ${spec.gateway}? (${metadata.name})`;
  return plainText(text).slice(0, MAX_SUMMARY);
}

export function descriptionOf(notice: Notice<unknown>, { approved, denied }: JiraSettings): object {
  const { request, link } = notice;
  const facts = factsOf(request).map(({ name, value }) => paragraph(`${name}: ${value}`));
  const how = `To decide, move this issue to ${approved.join(' or ')}, or to ${denied.join(' or ')}. Only approvers of the rule count, and not whoever made the call.`;
  return document([
    ...facts,
    { type: 'codeBlock', attrs: {}, content: [textNode(callLines(request).join('\n'))] },
    paragraph(how),
    ...(link === undefined ? [] : [paragraph(`Or decide at ${link}`)]),
  ]);
}

export function commentOf({ request, phase, mayRepeat }: Notice<unknown>): string {
  const decisions = decisionsOf(request).map(({ name, value }) => `${name} ${value}.`);
  const again = mayRepeat ? ['(Said again, because nobody knows whether it was heard.)'] : [];
  return [SAID[phase], ...decisions, ...again].join(' ');
}

export function textDocument(text: string): object {
  return document([paragraph(text)]);
}

function document(content: object[]): object {
  return { type: 'doc', version: 1, content };
}

function paragraph(text: string): object {
  return { type: 'paragraph', content: [textNode(text)] };
}

function textNode(text: string): object {
  return { type: 'text', text };
}
