/** The one way to the masker for whoever serves clients: large messages are masked in a thread of their own. */
import type { BodyOutcome, MaskAbout, Masker, MaskOutcome } from '../mask/index.ts';
import { faultOf } from './fault.ts';
import type { Job, JobAbout, Policies } from './protocol.ts';
import type { MaskingThread } from './thread.ts';

/** As Masker has it, but nobody waits while it works on a large message. Promises never reject. */
export interface Masking {
  /** What is wrong with a text that should be JSON (lib/json, checkJson), as a sentence; undefined where nothing is. */
  check(text: string): Promise<string | undefined>;
  message(text: string, about: MaskAbout): Promise<MaskOutcome>;
  body(body: Buffer, mimeType: string | undefined, about: MaskAbout): Promise<BodyOutcome>;
  /** For what is never large: header values and sentences. */
  text(text: string, about: MaskAbout): MaskOutcome;
}

/** Characters of a message, or bytes of a body, up to which to hand it over would not be worth it. */
export const LARGE = 128 * 1024;

export interface MaskingDeps {
  readonly masker: Masker;
  readonly thread: MaskingThread;
  /** What `masker` was compiled from. */
  readonly policies: Policies;
}

export function createMasking({ masker, thread, policies }: MaskingDeps): Masking {
  const handOver = async (job: Job, { stream }: MaskAbout): Promise<MaskOutcome | BodyOutcome> => {
    const answer = await thread.run(job, policies);
    if ('failed' in answer) return { kind: 'withheld', reason: answer.failed, masked: [] };
    if ('fault' in answer) return MIXED_UP;
    stream?.take(answer.tails ?? []);
    return answer.outcome;
  };
  return {
    check: async (text) => {
      if (text.length <= LARGE) return faultOf(text);
      const answer = await thread.run({ kind: 'check', text }, policies);
      if ('failed' in answer) return answer.failed;
      return 'fault' in answer ? answer.fault : MIXED_UP.reason;
    },
    message: async (text, about) => {
      if (text.length <= LARGE) return masker.message(text, about);
      const outcome = await handOver({ kind: 'message', text, about: portable(about) }, about);
      return outcome.kind === 'released' && 'body' in outcome ? MIXED_UP : outcome;
    },
    body: async (body, mimeType, about) => {
      if (body.length <= LARGE) return masker.body(body, mimeType, about);
      const outcome = await handOver({ kind: 'body', body, mimeType, about: portable(about) }, about);
      if (outcome.kind === 'withheld') return outcome;
      return 'body' in outcome ? { ...outcome, body: Buffer.from(outcome.body) } : MIXED_UP;
    },
    text: (text, about) => masker.text(text, about),
  };
}

/** Where nobody else waits: all of it here and now. */
export function maskHere(masker: Masker): Masking {
  return {
    check: (text) => Promise.resolve(faultOf(text)),
    message: (text, about) => Promise.resolve(masker.message(text, about)),
    body: (body, mimeType, about) => Promise.resolve(masker.body(body, mimeType, about)),
    text: (text, about) => masker.text(text, about),
  };
}

function portable({ purpose, tool, outputSchema, stream }: MaskAbout): JobAbout {
  return { purpose, tool, outputSchema, tails: stream?.tails };
}

const MIXED_UP = {
  kind: 'withheld',
  reason: 'The message could not be looked through for secrets.',
  masked: [],
} as const;
