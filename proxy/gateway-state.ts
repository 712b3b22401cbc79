import type { ToolsSeen } from '#control';
import { systemClock } from '../lib/clock.ts';
import { CredentialFiles, type FilePlace } from './credential/files.ts';
import { Leases } from './credential/leases.ts';
import type { Lease } from './credential/lease.ts';
import type { LenderDeps } from './credential/lender.ts';
import { Databases } from './egress/postgres/databases.ts';
import type { EndedWork } from './egress/postgres/deps.ts';
import { WireError } from './egress/postgres/errors.ts';
import type { Dial } from './egress/postgres/upstream/connect.ts';
import type { Logger } from '../lib/log.ts';
import { createKnownSecrets, type KnownSecrets } from './engine/mask/index.ts';
import { MaskingThread } from './engine/masking/index.ts';
import type { Gateway } from './gateway.ts';
import { ParameterHeaders } from './forward/parameter-headers.ts';
import { RequestStates } from './hold/state.ts';
import { KnownTools } from './integrity/index.ts';
import { createToolReporter, type ToolReporter } from './integrity/report.ts';
import { RateLimit } from './lib/rate-limit.ts';
import type { OutputSchemas } from './release/index.ts';
import { Sessions } from './session/sessions.ts';
import { Turns } from './session/turns.ts';
import { WhoseCall } from './session/whose-call.ts';
import { Tasks } from './session/tasks.ts';

export interface StateDeps {
  readonly now: () => number;
  /** Tells the operator of tools that were seen. */
  readonly tellTools: (seen: ToolsSeen) => Promise<void>;
  readonly log: Logger;
  /** Where the pod's own CA is kept. */
  readonly authorityDirectory: string;
  /** Opens connections to databases. */
  readonly dialDatabase: Dial;
  /** See DatabasesDeps. */
  readonly databasePorts: readonly number[] | undefined;
}

/** `place`: where the files lie that the server reads. */
export type Lending = Omit<LenderDeps, 'known'> & { readonly place: FilePlace | undefined };

/** What lives on when the policy of a gateway changes. */
export class GatewayState {
  readonly known: KnownSecrets;
  /** Masks large messages, with the same values. */
  readonly masking: MaskingThread;
  readonly sessions: Sessions;
  readonly states: RequestStates;
  readonly schemas: OutputSchemas = new Map();
  readonly parameters = new ParameterHeaders();
  readonly tasks = new Tasks();
  readonly tools = new KnownTools();
  readonly toolReporter: ToolReporter;
  readonly rate: RateLimit;
  readonly whoseCall = new WhoseCall();
  readonly turns: Turns;
  readonly leases: Leases;
  /** Credentials that the server reads. */
  readonly files: CredentialFiles;
  readonly databases: Databases<Lease>;
  /** The gateway in force. Undefined until the first bundle is. */
  current: Gateway | undefined;

  constructor(gateway: string, deps: StateDeps, lending: Lending) {
    const { now, tellTools, log } = deps;
    this.toolReporter = createToolReporter({
      gateway,
      takeNews: () => this.tools.takeNews(),
      tell: tellTools,
      log: log.child({ gateway }),
    });
    this.known = createKnownSecrets({ now, onSet: (owner, values) => this.masking.know(owner, values) });
    this.masking = new MaskingThread({ ...systemClock, now }, () => this.known.updates);
    this.leases = new Leases({ ...lending, known: this.known });
    this.files = new CredentialFiles({ ...lending, lender: this.leases });
    this.databases = new Databases({
      known: this.known,
      policy: () => this.#inForce().databases,
      ownerOf: (hint, whenShared) => this.whoseCall.ownerOf(hint, whenShared),
      lend: (credential, whose) => this.leases.lend(credential, whose),
      replace: (credential, whose, refused) => this.leases.replace(credential, whose, refused),
      record: (event) => this.#inForce().journal.outbound({ ...event, status: undefined }),
      dial: deps.dialDatabase,
      authorityDirectory: deps.authorityDirectory,
      databasePorts: deps.databasePorts,
      now,
      log: log.child({ gateway }),
    });
    this.whoseCall.onChange(() => this.databases.reconsider());
    this.states = new RequestStates(now);
    this.rate = new RateLimit(now);
    this.turns = new Turns({ ...systemClock, now });
    this.sessions = new Sessions({
      now,
      events: {
        started: (session) =>
          this.current?.journal.sessionStarted(
            { caller: session.owner, session },
            this.current.bundle.server.transport,
          ),
        ended: (session, reason) => {
          this.endWork({ session: session.id });
          this.current?.journal.sessionEnded(session.id, reason);
        },
      },
    });
  }

  /** Work is over: what was lent to it is given back, and no session of a database outlives it. */
  endWork({ session, request }: EndedWork): void {
    this.databases.forget(request === undefined ? { session } : { session, request });
    if (request === undefined) this.leases.endSession(session);
    else this.leases.endRequest(session, request);
  }

  #inForce(): Gateway {
    if (this.current === undefined)
      throw new WireError('57P03', 'The gateway of this database is not in force yet; try again.');
    return this.current;
  }
}
