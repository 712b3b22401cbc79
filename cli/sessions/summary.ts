/** What a session comes to, counted while its records pass by. */
import type { RecordedEvent } from '../../operator/record/record-line.ts';

/** Stands for records that belong to no session: callers refused before there was one. */
export const NO_SESSION = '-';

export interface Summary {
  readonly session: string;
  readonly gateway: string;
  caller: string;
  readonly started: string;
  /** Undefined while no end was recorded. */
  ended: string | undefined;
  last: string;
  calls: number;
  denied: number;
  held: number;
  failed: number;
  masked: number;
}

interface OpenCall {
  denied: boolean;
  held: boolean;
}

/** Refusals by somebody's decision; the others are failures. */
const DENIALS = new Set([
  'unauthenticated',
  'insufficient_scope',
  'access_denied',
  'rule_denied',
  'approval_denied',
  'approval_expired',
  'approval_consumed',
  'rate_limited',
]);

export class Sessions {
  readonly #summaries = new Map<string, Summary>();
  /** Calls without an end yet, by session and exchange: as many as were under way at once. */
  readonly #open = new Map<string, OpenCall>();

  add(event: RecordedEvent): void {
    const summary = this.#summaryOf(event);
    if (event.caller !== undefined) summary.caller = event.caller.username;
    if (event.time > summary.last) summary.last = event.time;
    switch (event.type) {
      case 'session.end':
        summary.ended = event.time;
        return;
      case 'request':
        this.#request(summary, event.exchange, event.decision);
        return;
      case 'refusal':
        this.#refusal(summary, event.exchange, event.code);
        return;
      case 'response':
        summary.masked += event.masked.length;
        this.#open.delete(callKey(summary, event.exchange));
        return;
      case 'message':
        summary.masked += event.masked.length;
        return;
      default:
        return;
    }
  }

  /** In the order of their first record. */
  list(): Summary[] {
    return [...this.#summaries.values()];
  }

  /** A call may be recorded more than once on its way in; it counts once. */
  #request(summary: Summary, exchange: string, decision: 'allow' | 'deny' | 'hold'): void {
    const key = callKey(summary, exchange);
    const call = this.#open.get(key) ?? { denied: false, held: false };
    if (!this.#open.has(key)) summary.calls += 1;
    if (decision === 'hold' && !call.held) summary.held += 1;
    if (decision === 'deny' && !call.denied) summary.denied += 1;
    this.#open.set(key, {
      held: call.held || decision === 'hold',
      denied: call.denied || decision === 'deny',
    });
  }

  #refusal(summary: Summary, exchange: string, code: string): void {
    const key = callKey(summary, exchange);
    const call = this.#open.get(key);
    if (call === undefined) summary.calls += 1;
    if (!DENIALS.has(code)) summary.failed += 1;
    else if (call?.denied !== true) summary.denied += 1;
    this.#open.delete(key);
  }

  #summaryOf(event: RecordedEvent): Summary {
    const session = event.session ?? NO_SESSION;
    const key = `${event.gateway}\n${session}`;
    const known = this.#summaries.get(key);
    if (known !== undefined) return known;
    const fresh: Summary = {
      session,
      gateway: event.gateway,
      caller: NO_SESSION,
      started: event.time,
      ended: undefined,
      last: event.time,
      calls: 0,
      denied: 0,
      held: 0,
      failed: 0,
      masked: 0,
    };
    this.#summaries.set(key, fresh);
    return fresh;
  }
}

function callKey(summary: Summary, exchange: string): string {
  return `${summary.gateway}\n${summary.session}\n${exchange}`;
}
