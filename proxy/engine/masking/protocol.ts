/** What passes between the proxy and the thread that masks large messages. One port, so that all of it keeps its order. */
import type { MaskPolicy } from '../../../crds/bundle.ts';
import type { BodyOutcome, KnownUpdate, MaskAbout, MaskOutcome, Tails } from '../mask/index.ts';

export interface Policies {
  readonly masking: readonly MaskPolicy[];
  readonly hashKey: Uint8Array;
}

export type JobAbout = Omit<MaskAbout, 'stream'> & { readonly tails: Tails | undefined };

export type Job =
  /** Whether it is JSON as checkJson has it. */
  | { readonly kind: 'check'; readonly text: string }
  | { readonly kind: 'message'; readonly text: string; readonly about: JobAbout }
  | {
      readonly kind: 'body';
      readonly body: Uint8Array;
      readonly mimeType: string | undefined;
      readonly about: JobAbout;
    };

export type ToWorker =
  | { readonly kind: 'known'; readonly updates: readonly KnownUpdate[] }
  | { readonly kind: 'policies'; readonly policies: Policies }
  /** `at`: the clock by which values that were given up are still looked for. */
  | { readonly kind: 'job'; readonly job: Job; readonly at: number };

/** Answers come in the order of the jobs. */
export type FromWorker =
  | { readonly outcome: MaskOutcome | BodyOutcome; readonly tails: Tails | undefined }
  /** What is wrong with a text, as a sentence. */
  | { readonly fault: string | undefined };
