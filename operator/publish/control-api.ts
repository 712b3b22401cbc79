/** The control API for proxies; crds/control.ts says what goes over it. */
import express, { type Express, type Request, type Response } from 'express';
import { z } from 'zod';
import {
  applied,
  approvalDemand,
  consumeDemand,
  outcome,
  toolsSeen,
  type ToolsSeen,
} from '../../crds/control.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Approvals } from '../approve/approvals.ts';
import { gatewayOf, viewOf, type ApprovalRequest } from '../approve/object.ts';
import { answerProblems, bearerOf, MAX_BODY, noSuchRoute, parameter, parsed } from '../http.ts';
import { Problem } from '../problem.ts';
import type { AppliedBoard } from './applied-board.ts';
import type { BundleBoard } from './bundle-board.ts';
import { streamBundles } from './bundle-stream.ts';
import { serves, type PodIdentity, type TokenReviewer } from './identity.ts';

export interface ControlApiDeps {
  readonly board: BundleBoard;
  readonly applied: AppliedBoard;
  readonly approvals: Approvals;
  readonly reviewer: TokenReviewer;
  readonly clock: Clock;
  readonly log: Logger;
  /** What proxies are to trust from now on, PEM; whoever changes it announces it on the board. */
  readonly roots: () => string | undefined;
  /** Counts the proxies that follow the bundles: +1 and −1. */
  readonly onFollower: (change: 1 | -1) => void;
  /** Definitions of tools that are new to a proxy. */
  readonly onTools: (seen: ToolsSeen) => Promise<void>;
}

/** A wait is cut short here, so that a dead connection is noticed. */
const MAX_WAIT_MS = 60_000;

const waitQuery = z.object({ wait: z.coerce.number().int().min(0).default(0) });

type Authenticated = Response<unknown, { identity: PodIdentity }>;

/** Every route demands a token that the reviewer knows, and shows nothing of gateways that its holder does not serve. */
export function createControlApi(deps: ControlApiDeps): Express {
  const { approvals } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(async (request, response: Authenticated, next) => {
    const identity = await deps.reviewer.review(bearerOf(request));
    if (identity === undefined) throw new Problem('unauthenticated', 'The token of this proxy is not known.');
    response.locals.identity = identity;
    next();
  });
  app.use(express.json({ limit: MAX_BODY }));

  app.get('/v1/bundles', (_request, response: Authenticated) => {
    follow(response, deps);
  });

  app.post('/v1/applied', (request, response: Authenticated) => {
    const said = parsed(applied, request.body);
    checkServes(response, said.gateway);
    deps.applied.note({ ...said, proxy: response.locals.identity.name, at: deps.clock.now() });
    const { gateway, revision, error } = said;
    if (error === undefined) deps.log.info({ gateway, revision }, 'bundle applied');
    else deps.log.error({ gateway, revision, reason: error }, 'A proxy could not apply its bundle.');
    response.status(204).end();
  });

  app.post('/v1/tools', async (request, response: Authenticated) => {
    const seen = parsed(toolsSeen, request.body);
    checkServes(response, seen.gateway);
    await deps.onTools(seen);
    response.status(204).end();
  });

  app.post('/v1/approvals', async (request, response: Authenticated) => {
    const demand = parsed(approvalDemand, request.body);
    checkServes(response, demand.gateway);
    response.json(viewOf(await approvals.demand(demand)));
  });

  app.get('/v1/approvals/:id', async (request, response: Authenticated) => {
    const { wait } = parsed(waitQuery, request.query);
    const { metadata } = await reachable(request, response, approvals);
    const hangUp = new AbortController();
    response.on('close', () => {
      hangUp.abort();
    });
    const decided = await approvals.wait(metadata.name, Math.min(wait, MAX_WAIT_MS), hangUp.signal);
    response.json(viewOf(decided));
  });

  app.post('/v1/approvals/:id/consume', async (request, response: Authenticated) => {
    const { digest } = parsed(consumeDemand, request.body);
    const { metadata } = await reachable(request, response, approvals);
    response.json(viewOf(await approvals.consume(metadata.name, digest)));
  });

  app.post('/v1/approvals/:id/outcome', async (request, response: Authenticated) => {
    const said = parsed(outcome, request.body);
    const { metadata } = await reachable(request, response, approvals);
    response.json(viewOf(await approvals.finish(metadata.name, said.outcome)));
  });

  app.post('/v1/approvals/:id/cancel', async (request, response: Authenticated) => {
    const { metadata } = await reachable(request, response, approvals);
    response.json(viewOf(await approvals.cancel(metadata.name)));
  });

  app.use(noSuchRoute);
  app.use(answerProblems(deps.log));
  return app;
}

function follow(response: Authenticated, deps: ControlApiDeps): void {
  const { identity } = response.locals;
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  const { board, clock, roots } = deps;
  const stream = streamBundles(response, { board, identity, clock, roots });
  deps.onFollower(1);
  response.on('close', () => {
    stream.stop();
    deps.onFollower(-1);
  });
}

function checkServes(response: Authenticated, gateway: string): void {
  if (serves(response.locals.identity, gateway)) return;
  throw new Problem('not_allowed', 'This proxy does not serve the gateway that it speaks of.');
}

/** The request that the path names. One of another proxy's gateways is not there at all. */
async function reachable(
  request: Request,
  response: Authenticated,
  approvals: Approvals,
): Promise<ApprovalRequest> {
  const found = await approvals.get(parameter(request, 'id'));
  if (serves(response.locals.identity, gatewayOf(found))) return found;
  throw new Problem('not_found', 'There is no such approval.');
}
