/** A session for reading: its events one after the other, or the conversation as it went. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedEvent } from '../../operator/record/record-line.ts';
import type { ReadRecord } from './read.ts';
import type { Summary } from './summary.ts';
import { prettyJson, visible } from './text.ts';

type Write = (text: string) => void;

const INDENT = '    ';

export function heading({ session, gateway, caller, started, ended }: Summary): string {
  return visible(`Session ${session} of ${caller} with ${gateway}, ${started} to ${ended ?? 'now'}`) + '\n\n';
}

/** One line an event, what was masked beneath it. */
export async function show(records: AsyncIterable<ReadRecord>, write: Write): Promise<void> {
  for await (const { line } of records) {
    const { event } = line;
    write(`${event.time}  ${event.type.padEnd(13)}  ${visible(describe(event))}\n`);
    for (const mask of masksOf(event)) write(`${' '.repeat(41)}${mask}\n`);
  }
}

/** Messages with relative times. With `speed`, waits between them as long as it took then, that many times faster. */
export async function replay(
  records: AsyncIterable<ReadRecord>,
  { write, speed, stop }: { write: Write; speed: number | undefined; stop: AbortSignal },
): Promise<void> {
  let began: number | undefined;
  let before: number | undefined;
  for await (const { line } of records) {
    if (stop.aborted) return;
    const at = Date.parse(line.event.time);
    began ??= at;
    if (speed !== undefined) await pause((at - (before ?? at)) / speed, stop);
    before = at;
    write(scene(line.event, at - began));
  }
}

function scene(event: RecordedEvent, sinceMs: number): string {
  const head = `+${(sinceMs / 1000).toFixed(3)}s  ${visible(`${direction(event)}${describe(event)}`)}\n`;
  const body =
    'message' in event && typeof event.message === 'string' ? `${prettyJson(event.message, INDENT)}\n` : '';
  return `${head}${body}${masksOf(event)
    .map((mask) => `${INDENT}${mask}\n`)
    .join('')}\n`;
}

function direction(event: RecordedEvent): string {
  const who = event.caller?.username ?? 'client';
  if (event.type === 'request') return `${who} → server  `;
  if (event.type === 'response') return `server → ${who}  `;
  if (event.type === 'message') return event.from === 'client' ? `${who} → server  ` : `server → ${who}  `;
  if (event.type === 'outbound') return `server → ${event.destination}  `;
  return event.type === 'refusal' ? `gatehouse → ${who}  ` : '';
}

function describe(event: RecordedEvent): string {
  switch (event.type) {
    case 'session.start':
      return `session begins (${event.transport}, ${event.revision})`;
    case 'session.end':
      return `session ends: ${event.reason}`;
    case 'request':
      return describeRequest(event);
    case 'response':
      return `answer after ${event.durationMs} ms, ${event.masked.length} masked`;
    case 'message':
      return event.method;
    case 'refusal':
      return `refused (${event.code}): ${event.reason}`;
    case 'approval':
      return `approval ${event.approval} is ${event.phase}`;
    case 'outbound':
      return describeOutbound(event);
    case 'notice':
      return `noticed (${event.code}): ${event.reason}`;
  }
}

function describeRequest(event: Extract<RecordedEvent, { type: 'request' }>): string {
  const parts = [
    `${event.method}${event.target === undefined ? '' : ` ${event.target}`}`,
    `${event.decision}${event.rule === undefined ? '' : ` by ${event.rule}`}`,
    `risk ${event.risk}`,
    ...(event.approval === undefined ? [] : [`approval ${event.approval}`]),
    ...(event.credentials === undefined ? [] : [`with ${event.credentials.join(', ')}`]),
    event.reason,
  ];
  return parts.join(' · ');
}

function describeOutbound(event: Extract<RecordedEvent, { type: 'outbound' }>): string {
  const parts = [
    event.what,
    event.decision,
    ...(event.credential === undefined ? [] : [`with ${event.credential}`]),
    ...(event.status === undefined ? [] : [`status ${event.status}`]),
    ...(event.reason === undefined ? [] : [event.reason]),
    `${event.durationMs} ms`,
  ];
  return parts.join(' · ');
}

function masksOf(event: RecordedEvent): string[] {
  if (event.type !== 'response' && event.type !== 'message') return [];
  return event.masked.map(({ path, detector }) => visible(`masked ${path} (${detector})`));
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // Being told to stop ends the wait; the caller looks at the signal.
  if (ms > 0) await sleep(Math.min(ms, 2 ** 31 - 1), undefined, { signal }).catch(() => undefined);
}
