/** What the control and the admin API share: reading requests strictly, and answering refusals in one form. */
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import type { z } from 'zod';
import type { Logger } from '../lib/log.ts';
import { Problem } from './problem.ts';

/** Enough for the largest demand: a preview of 4 KiB and the caller's groups. */
export const MAX_BODY = '256kb';

const MAX_TOKEN = 16 * 1024;

/** The bearer token of a request; throws a Problem when there is none. */
export function bearerOf(request: Request): string {
  const [scheme, token, ...rest] = (request.headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0 || token.length > MAX_TOKEN) {
    throw new Problem('unauthenticated', 'The request needs one Bearer token in the Authorization header.');
  }
  return token;
}

/** Parses what came from outside; throws a Problem that names the first thing that is wrong. */
export function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.map(String).join('.') ?? '';
  throw new Problem(
    'bad_request',
    `The request's ${path === '' ? 'body' : path} is wrong: ${issue?.message ?? 'unreadable'}.`,
  );
}

/** One path parameter. */
export function parameter(request: Request, name: string): string {
  const value = request.params[name];
  return typeof value === 'string' ? value : '';
}

export const noSuchRoute: RequestHandler = (request) => {
  throw new Problem('not_found', `There is nothing at ${request.method} ${request.path.slice(0, 200)}.`);
};

/** Turns everything that is thrown into a ControlProblem. What nobody meant to throw is logged, and not shown. */
export function answerProblems(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const problem = problemOf(error);
    if (problem.code === 'internal') log.error({ err: error }, 'A request failed unexpectedly.');
    if (problem.status === 401) response.setHeader('www-authenticate', 'Bearer');
    response.status(problem.status).json(problem.body());
  };
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) return new Problem('too_large', `The request's body is larger than ${MAX_BODY}.`);
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Problem('bad_request', 'The request cannot be read: its body must be JSON in UTF-8.');
  }
  return new Problem('internal', 'The operator failed to answer; its log says why.', { cause: error });
}
