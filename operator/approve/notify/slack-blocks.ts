/** The look of a message in Slack. Everything that a caller wrote is literal text: no mrkdwn, no mentions. Pure. */
import type { ApprovalPhase } from '../../../crds/control.ts';
import { callLines, factsOf } from '../view.ts';
import type { Notice } from './channel.ts';

export const APPROVE = 'gatehouse.approve';
export const DENY = 'gatehouse.deny';

const TITLES: Readonly<Record<ApprovalPhase, string>> = {
  Pending: 'A call waits for approval',
  Approved: 'Approved',
  Denied: 'Denied',
  Expired: 'Expired: nobody decided, nothing runs',
  Cancelled: 'Cancelled: the caller went away, nothing runs',
  Consumed: 'Approved',
};

/** Far below what a message may hold; who wants to read on opens the link. */
const MAX_CALL = 2500;
const MAX_FACT = 500;

/** `canDecide`: pressed buttons would be believed. */
export function slackBlocks(notice: Notice<unknown>, canDecide: boolean): object[] {
  const { request, phase, mayRepeat } = notice;
  const isOpen = phase === 'Pending';
  return [
    { type: 'header', text: { type: 'plain_text', text: TITLES[phase], emoji: false } },
    { type: 'rich_text', elements: [factsSection(notice), codeSection(notice)] },
    ...(mayRepeat && isOpen
      ? [note('Sent again, because nobody knows whether the first message arrived. There is one request.')]
      : []),
    ...(isOpen ? actions(request.metadata.name, notice.link, canDecide) : []),
  ];
}

/** What notifications and screen readers say; nothing of it is a caller's. */
export function fallbackOf({ request, phase }: Notice<unknown>): string {
  return `${TITLES[phase]}: ${request.metadata.name}`;
}

function factsSection({ request }: Notice<unknown>): object {
  return {
    type: 'rich_text_section',
    elements: factsOf(request).flatMap(({ name, value }) => [
      { type: 'text', text: `${name}: `, style: { bold: true } },
      { type: 'text', text: `${cut(value, MAX_FACT)}\n` },
    ]),
  };
}

function codeSection({ request }: Notice<unknown>): object {
  const text = cut(callLines(request).join('\n'), MAX_CALL);
  return { type: 'rich_text_preformatted', elements: [{ type: 'text', text }] };
}

function actions(id: string, link: string | undefined, canDecide: boolean): object[] {
  const elements = [
    ...(canDecide ? [button('Approve', APPROVE, id, 'primary'), button('Deny', DENY, id, 'danger')] : []),
    ...(link === undefined
      ? []
      : [{ type: 'button', action_id: 'gatehouse.open', text: label('Open'), url: link }]),
  ];
  return elements.length === 0 ? [] : [{ type: 'actions', block_id: 'gatehouse.decide', elements }];
}

function button(text: string, action: string, id: string, style: string): object {
  return {
    type: 'button',
    action_id: action,
    value: id,
    style,
    text: label(text),
    confirm: {
      title: label(`${text} this call?`),
      text: label(`${text} ${id}. It cannot be taken back.`),
      confirm: label(text),
      deny: label('Go back'),
    },
  };
}

function note(text: string): object {
  return { type: 'context', elements: [{ type: 'plain_text', text, emoji: false }] };
}

function label(text: string): object {
  return { type: 'plain_text', text, emoji: false };
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
