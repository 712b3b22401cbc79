import type { ToolsSeen } from '#control';
import { systemClock } from '../lib/clock.ts';
import { Leases } from './credential/leases.ts';
import type { LenderDeps } from './credential/lender.ts';
import type { Logger } from '../lib/log.ts';
import { createKnownSecrets, type KnownSecrets } from './engine/mask/index.ts';
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
}

/** What lives on when the policy of a gateway changes. */
export class GatewayState {
  readonly known: KnownSecrets;
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
  /** The gateway in force. Undefined until the first bundle is. */
  current: Gateway | undefined;

  constructor(gateway: string, { now, tellTools, log }: StateDeps, lending: Omit<LenderDeps, 'known'>) {
    this.toolReporter = createToolReporter({
      gateway,
      takeNews: () => this.tools.takeNews(),
      tell: tellTools,
      log: log.child({ gateway }),
    });
    this.known = createKnownSecrets({ now });
    this.leases = new Leases({ ...lending, known: this.known });
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
          this.leases.endSession(session.id);
          this.current?.journal.sessionEnded(session.id, reason);
        },
      },
    });
  }
}
