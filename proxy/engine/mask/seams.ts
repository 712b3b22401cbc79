/**
 * Values split over texts that a reader puts together again: content blocks that lie next to each other in one
 * message, and the texts that one stream brings one after the other.
 */
import { locate, mayHaveKey, scanJson, tokenValue, type JsonVisitor } from '../../../lib/json/index.ts';
import { Cursor } from './cursor.ts';
import { examine, knownIn, type Probe } from './examine.ts';
import { NO_POLICIES } from './place.ts';
import type { Plan } from './plan.ts';
import { MESSAGE, type Role } from './shape.ts';
import type { StreamMemory } from './stream-memory.ts';
import type { Found } from './types.ts';

/** What reaches into a string from its neighbours, by where its token begins, in offsets of the string's value. */
export type Seams = ReadonlyMap<number, readonly Found[]>;

export const NO_SEAMS: Seams = new Map();

interface Leaf {
  /** Where its token begins in the message. */
  readonly token: number;
  readonly role: Role;
  readonly path: string;
  readonly value: string;
}

/** The seams of a message, which has passed checkJson. What a stream brings is remembered for what it brings next. */
export function seamsOf(text: string, plan: Plan, probe: Probe, stream: StreamMemory | undefined): Seams {
  const seams = new Map<number, Found[]>();
  const method = stream === undefined ? undefined : methodOf(text);
  const parted = !probe.known.isEmpty && hasTwoTexts(text);
  if (method === undefined && !parted) return seams;
  const leaves = leavesOf(text, plan);
  if (parted)
    joinWithin(
      leaves.filter(({ role }) => role === 'text'),
      probe,
      seams,
    );
  if (stream !== undefined && method !== undefined) {
    joinWithEarlier(leaves, method, { probe, stream, seams });
    // Loggers that speak by turns each have their own text, and so have calls that report progress.
    const speaker = rawAt(text, ['params', 'logger']) ?? rawAt(text, ['params', 'progressToken']);
    if (speaker !== undefined) joinWithEarlier(leaves, `${method} ${speaker}`, { probe, stream, seams });
  }
  return seams;
}

/** As raw JSON; answers, which most messages are, have none. */
function methodOf(text: string): string | undefined {
  return mayHaveKey(text, 'method') ? rawAt(text, ['method']) : undefined;
}

function rawAt(text: string, path: readonly string[]): string | undefined {
  const span = locate(text, path);
  return span && text.slice(span.start, span.end);
}

/** Members called text, which an escape in the name may hide. */
const TEXT_MEMBER = /"text"[ \t\r\n]*:|\\u00[67]/gi;

/** Whether there may be two texts at all: most messages have one, and need no look at it. */
function hasTwoTexts(text: string): boolean {
  TEXT_MEMBER.lastIndex = 0;
  return TEXT_MEMBER.test(text) && TEXT_MEMBER.test(text);
}

/** Values the proxy holds, in the texts of one message put together. All of it is at hand, so every part goes. */
function joinWithin(leaves: readonly Leaf[], probe: Probe, seams: Map<number, Found[]>): void {
  for (const found of knownIn(probe, leaves.map(({ value }) => value).join(''))) {
    let at = 0;
    for (const { token, value } of leaves) {
      const part = {
        ...found,
        start: Math.max(0, found.start - at),
        end: Math.min(value.length, found.end - at),
      };
      const isWhole = found.start >= at && found.end <= at + value.length;
      if (part.start < part.end && !isWhole) add(seams, token, part);
      at += value.length;
    }
  }
}

/** What begins in an earlier text of the stream and ends in this one, and what may have begun at the end of this one. */
function joinWithEarlier(
  leaves: readonly Leaf[],
  speaker: string,
  { probe, stream, seams }: { probe: Probe; stream: StreamMemory; seams: Map<number, Found[]> },
): void {
  for (const { token, path, value } of leaves) {
    if (value === '') continue;
    const place = `${speaker} ${path}`;
    const before = stream.tail(place);
    const joined = before + value;
    for (const found of [...acrossFrom(before.length, joined, probe), ...begunAtEnd(joined, probe)]) {
      const start = Math.max(0, found.start - before.length);
      const end = found.end - before.length;
      if (end > start) add(seams, token, { ...found, start, end });
    }
    stream.remember(place, joined);
  }
}

/** What reaches over the offset. Of formats only those without a break in them: others are found where none is meant. */
function acrossFrom(offset: number, joined: string, probe: Probe): Found[] {
  if (offset === 0) return [];
  return examine(probe, joined, undefined).filter(({ start, end, detector }) => {
    if (start >= offset || end <= offset) return false;
    if (detector === undefined) return true;
    // What was whole before is followed by something else.
    return (
      detector.cue === 'literal' &&
      detector.leastLength !== undefined &&
      offset - start < detector.leastLength
    );
  });
}

/** The end of a text that is the beginning of a value the proxy holds, and too much of one to be let go. */
function begunAtEnd(joined: string, { known }: Probe): Found[] {
  const length = known.begunAtEnd(joined);
  if (length === 0) return [];
  const start = joined.length - length;
  return [{ start, end: joined.length, detector: undefined, value: joined.slice(start) }];
}

function add(seams: Map<number, Found[]>, token: number, found: Found): void {
  seams.set(token, [...(seams.get(token) ?? []), found]);
}

/** Every string value of the message that is text, data or prose. */
function leavesOf(text: string, plan: Plan): Leaf[] {
  const cursor = new Cursor(plan, { shape: MESSAGE, trie: undefined, selected: [], excluded: NO_POLICIES });
  const leaves: Leaf[] = [];
  const step = (): void => void cursor.next();
  const visitor: JsonVisitor = {
    openObject: (start) => cursor.open(start, false),
    openArray: (start) => cursor.open(start, true),
    closeObject: () => cursor.close(),
    closeArray: () => cursor.close(),
    key: (start, end, plain) => {
      const { frame } = cursor;
      if (frame !== undefined) frame.key = frame.shownKey = tokenValue(text, start, end, plain);
    },
    string: (start, end, plain) => {
      const { role } = cursor.next().shape;
      if (role === 'opaque' || role === 'blob' || role === 'name') return;
      leaves.push({ token: start, role, path: cursor.path('$'), value: tokenValue(text, start, end, plain) });
    },
    number: step,
    literal: step,
  };
  scanJson(text, visitor);
  return leaves;
}
