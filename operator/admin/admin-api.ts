/** The admin API: health, metrics and status for whoever runs Gatehouse, approvals for people with a token. */
import express, { type Express, type RequestHandler } from 'express';
import { z } from 'zod';
import type { Logger } from '../../lib/log.ts';
import type { Approvals } from '../approve/approvals.ts';
import { gatewayOf, MAX_COMMENT, verdict, type Verdict } from '../approve/object.ts';
import { answerProblems, bearerOf, MAX_BODY, noSuchRoute, parameter, parsed } from '../http.ts';
import type { BundleBoard } from '../publish/bundle-board.ts';
import { guardHost } from './host-guard.ts';
import { checkMaySee, maySee, newestFirst } from './may-see.ts';
import type { People } from './people.ts';
import type { Status } from './status.ts';

export interface AdminApiDeps {
  readonly board: BundleBoard;
  readonly approvals: Approvals;
  readonly people: People;
  readonly status: () => Status;
  /** The metrics of every process of this installation, in the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
  /** Names that are valid as Host. */
  readonly hosts: readonly string[];
  /** Where channels report; reads bodies by itself. */
  readonly hooks: RequestHandler;
  /** Pages for people; absent where nobody can sign in. */
  readonly console: RequestHandler | undefined;
  readonly onDecision: (verdict: Verdict) => void;
  readonly log: Logger;
}

const decisionBody = z.strictObject({ verdict, comment: z.string().max(MAX_COMMENT).optional() });

export function createAdminApi(deps: AdminApiDeps): Express {
  const { approvals, people } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(guardHost(deps.hosts));
  app.use((_request, response, next) => {
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-content-type-options', 'nosniff');
    next();
  });
  app.use('/hooks', deps.hooks);
  if (deps.console !== undefined) app.use('/console', deps.console);
  app.use(express.json({ limit: MAX_BODY }));

  app.get('/healthz', (_request, response) => {
    response.type('text/plain').send('ok\n');
  });
  app.get('/readyz', (_request, response) => {
    const { ready, reasons } = deps.status();
    response
      .status(ready ? 200 : 503)
      .type('text/plain')
      .send(ready ? 'ok\n' : `${reasons.join('\n')}\n`);
  });
  app.get('/metrics', async (_request, response) => {
    response.type('text/plain; version=0.0.4; charset=utf-8').send(await deps.metrics());
  });
  app.get('/v1/status', (_request, response) => {
    response.json(deps.status());
  });

  app.get('/v1/approvals', async (request, response) => {
    const visitor = await people.visitor(bearerOf(request));
    const items = (await approvals.list()).filter((entry) => maySee(entry, visitor, deps));
    response.json({ items: items.sort(newestFirst) });
  });
  app.get('/v1/approvals/:id', async (request, response) => {
    const visitor = await people.visitor(bearerOf(request));
    const found = await approvals.get(parameter(request, 'id'));
    checkMaySee(found, visitor, deps);
    response.json(found);
  });
  app.post('/v1/approvals/:id/decisions', async (request, response) => {
    const visitor = await people.visitor(bearerOf(request));
    const { verdict: given, comment } = parsed(decisionBody, request.body);
    const id = parameter(request, 'id');
    const person = visitor.at(gatewayOf(await approvals.get(id)));
    const decided = await approvals.decide(id, { person, verdict: given, via: 'api', comment });
    deps.onDecision(given);
    deps.log.info({ approval: id, by: person.username, verdict: given }, 'approval decided');
    response.json(decided);
  });

  app.use(noSuchRoute);
  app.use(answerProblems(deps.log));
  return app;
}
