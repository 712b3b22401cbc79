/** One gateway in force, as those who serve its clients see it. */
import type { Bundle } from '#bundle';
import type { PostgresPolicy } from './egress/postgres/deps.ts';
import type { Masking } from './engine/masking/index.ts';
import type { ClientNotification, Identified } from './exchange.ts';
import type { PassthroughAnswer, PassthroughRequest } from './forward/passthrough.ts';
import type { Identify, ProtectedResourceMetadata } from './identify/index.ts';
import type { Journal } from './journal.ts';
import type { refusalMessage, Release } from './release/index.ts';
import type { ServeDeps } from './serve.ts';
import type { Sealer } from './session/seal.ts';
import type { Sessions } from './session/sessions.ts';
import type { Upstream } from './upstream.ts';

export type { PassthroughAnswer } from './forward/passthrough.ts';

export interface Gateway {
  readonly name: string;
  readonly bundle: Bundle;
  readonly identify: Identify;
  readonly sealer: Sealer;
  readonly sessions: Sessions;
  readonly upstream: Upstream;
  readonly journal: Journal;
  readonly masker: Masking;
  /** What of the policy is for connections to databases. */
  readonly databases: PostgresPolicy;
  /** By the policy of this bundle; `serve.stages.release` goes by the one in force. */
  readonly release: Release;
  /** RFC 9728. */
  readonly metadata: ProtectedResourceMetadata;
  readonly refusalMessage: typeof refusalMessage;
  /** Sends a request beside the MCP path, with credentials put in; the answer has not been masked yet. */
  readonly passthrough: (passage: Passage) => Promise<PassthroughAnswer>;
  readonly serve: ServeDeps;
  /** Throws a Refusal for a caller who makes more calls than the gateway takes. */
  readonly checkRate: (exchange: Identified) => void;
}

export interface Passage extends Omit<PassthroughRequest, 'headers'> {
  readonly exchange: Identified<ClientNotification>;
}
