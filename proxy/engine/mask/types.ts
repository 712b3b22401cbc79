import type { Masked, MaskedText } from '../../../crds/control.ts';
import { GatehouseError } from '../../../lib/errors.ts';
import type { Detector } from './detectors/detector.ts';
import type { StreamMemory } from './stream-memory.ts';

/**
 * `release`: server to client, policies with direction Response or Both. `request`: client to server, direction
 * Request or Both. `record`: client messages as the record keeps them, where every enforced policy applies.
 */
export type MaskPurpose = 'release' | 'request' | 'record';

export interface MaskAbout {
  readonly purpose: MaskPurpose;
  /** The tool that was called: exclusions by tool look at it. */
  readonly tool?: string | undefined;
  /** What `structuredContent` was promised to look like; a mask that would break the promise withholds. */
  readonly outputSchema?: unknown;
  /** What the stream that brings the message brought before: values may be split over its messages. */
  readonly stream?: StreamMemory | undefined;
}

/** `withheld`: nothing of it may leave; `reason` is one sentence that may be shown and holds no secret. */
export type Outcome<T> =
  | (T & {
      readonly kind: 'released';
      readonly masked: readonly Masked[];
      /** What policies in mode Audit would have masked. */
      readonly audited: readonly Masked[];
    })
  | { readonly kind: 'withheld'; readonly reason: string; readonly masked: readonly Masked[] };

export type MaskOutcome = Outcome<{ readonly text: MaskedText }>;
export type BodyOutcome = Outcome<{ readonly body: Buffer }>;

export interface Masker {
  /** A whole JSON-RPC message, or a batch of them. The text must have passed checkJson. Never throws. */
  message(text: string, about: MaskAbout): MaskOutcome;
  /** Any other text: a header value, a body that is no MCP message, a line of stderr, a sentence. Never throws. */
  text(text: string, about: MaskAbout): MaskOutcome;
  /**
   * A body beside MCP: a message that a policy describes for its media type, or text; what is neither leaves as it is,
   * or not at all where a secret is in it. Never throws.
   */
  body(body: Buffer, mimeType: string | undefined, about: MaskAbout): BodyOutcome;
}

/** A masking policy that cannot be compiled. The sentence names the policy and says how to mend it. */
export class MaskPolicyError extends GatehouseError {
  readonly code = 'mask_policy_invalid';
}

/** Half-open range of UTF-16 offsets. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Something a detector saw in a text, before any policy was asked. */
export interface Found extends Span {
  /** Absent for values that the proxy holds. */
  readonly detector: Detector | undefined;
  /** In the clear, as it stands there. */
  readonly value: string;
}
