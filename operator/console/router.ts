/** The console: pages that work without scripts, for people who signed in at their identity provider. */
import express, { type ErrorRequestHandler, type Request, type Response, type Router } from 'express';
import { z } from 'zod';
import type { fetch } from 'undici';
import type { Logger } from '../../lib/log.ts';
import type { VerifiedToken } from '../../lib/oidc.ts';
import type { Secret } from '../../lib/secret.ts';
import { checkMaySee, maySee, newestFirst, standingOf, type StandingDeps } from '../admin/may-see.ts';
import type { Visitor } from '../admin/people.ts';
import type { Approvals } from '../approve/approvals.ts';
import { gatewayOf, MAX_COMMENT, verdict, type ApprovalRequest, type Verdict } from '../approve/object.ts';
import { parameter, parsed } from '../http.ts';
import { Problem } from '../problem.ts';
import type { BundleBoard } from '../publish/bundle-board.ts';
import { createCookies, formToken, type Cookies } from './cookies.ts';
import { createIssuer, newAttempt, type Issuer } from './issuer.ts';
import { goOnPage, listPage, messagePage, requestPage, type Viewer } from './pages.ts';
import type { ConsoleSettings } from './settings.ts';
import { STYLE } from './style.ts';
import { visitorOf } from './visitor.ts';

export interface ConsoleDeps extends StandingDeps {
  readonly settings: ConsoleSettings;
  /** Where the console is reached. */
  readonly publicUrl: string;
  readonly approvals: Approvals;
  readonly board: BundleBoard;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly readSecret: (file: string) => Promise<Secret>;
  readonly onDecision: (verdict: Verdict) => void;
  readonly log: Logger;
}

export interface Console {
  /** To be mounted at /console. */
  readonly router: Router;
  close(): Promise<void>;
}

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  // With no-referrer, browsers would not say where a form was sent from.
  'referrer-policy': 'same-origin',
  'x-frame-options': 'DENY',
};
const HOME = '/console/';
const MAX_FORM = '16kb';
const MOST_ENDED = 50;

const formBody = z.object({ token: z.string() });
const decisionForm = z.object({
  token: z.string(),
  verdict,
  comment: z.string().max(MAX_COMMENT).default(''),
});

interface SignedIn {
  readonly viewer: Viewer;
  readonly visitor: Visitor;
}

export function createConsole(deps: ConsoleDeps): Console {
  const { settings, publicUrl, approvals } = deps;
  const issuer = createIssuer(settings, {
    ...{ fetch: deps.fetch, now: deps.now, redirectUri: `${publicUrl}/console/callback` },
    clientSecret: async () =>
      settings.clientSecretFile === undefined ? undefined : deps.readSecret(settings.clientSecretFile),
    caBundle: () => caBundleOf(settings.issuer, deps.board),
  });
  const cookies = createCookies(publicUrl.startsWith('https:'));
  const signedIn = async (request: Request): Promise<SignedIn> => {
    const token = cookies.session(request);
    if (token === undefined) throw new Problem('unauthenticated', 'Sign in to see what waits for you.');
    const verified = await issuer.verify(token);
    const viewer = { name: nameOf(verified), formToken: formToken(token) };
    return { viewer, visitor: visitorOf(verified, deps.board) };
  };

  const router = express.Router();
  router.use((request, response, next) => {
    response.set(HEADERS);
    if (request.method === 'POST') checkOrigin(request, publicUrl);
    next();
  });
  router.use(express.urlencoded({ extended: false, limit: MAX_FORM }));
  router.get('/style.css', (_request, response) => {
    response.type('text/css').send(STYLE);
  });
  signInRoutes(router, { issuer, cookies, signedIn });

  router.get('/', async (request, response) => {
    const { viewer, visitor } = await signedIn(request);
    const seen = (await approvals.list()).filter((entry) => maySee(entry, visitor, deps)).sort(newestFirst);
    const isWaiting = ({ status }: ApprovalRequest): boolean => status.phase === 'Pending';
    const ended = seen.filter((entry) => !isWaiting(entry)).slice(0, MOST_ENDED);
    show(response, listPage({ waiting: seen.filter(isWaiting), ended }, viewer));
  });
  router.get('/approvals/:id', async (request, response) => {
    const { viewer, visitor } = await signedIn(request);
    const found = await approvals.get(parameter(request, 'id'));
    checkMaySee(found, visitor, deps);
    show(response, requestPage(found, viewer, whyNot(found, visitor, deps)));
  });
  router.post('/approvals/:id', async (request, response) => {
    const { viewer, visitor } = await signedIn(request);
    const form = parsed(decisionForm, request.body);
    checkFormToken(form.token, viewer);
    const id = parameter(request, 'id');
    const person = visitor.at(gatewayOf(await approvals.get(id)));
    const comment = form.comment.trim();
    await approvals.decide(id, {
      ...{ person, verdict: form.verdict, via: 'console' },
      comment: comment === '' ? undefined : comment,
    });
    deps.onDecision(form.verdict);
    deps.log.info(
      { approval: id, by: person.username, verdict: form.verdict, via: 'console' },
      'approval decided',
    );
    response.redirect(303, `/console/approvals/${encodeURIComponent(id)}`);
  });
  router.use((request) => {
    throw new Problem('not_found', `There is no page at ${request.originalUrl.slice(0, 200)}.`);
  });
  router.use(answerPages(deps.log));
  return { router, close: () => issuer.close() };
}

function signInRoutes(
  router: Router,
  about: { issuer: Issuer; cookies: Cookies; signedIn: (request: Request) => Promise<SignedIn> },
): void {
  const { issuer, cookies } = about;
  router.get('/sign-in', async (request, response) => {
    const attempt = newAttempt();
    const url = await issuer.authorizationUrl(attempt);
    cookies.leave(response, { ...attempt, to: ownPath(request.query['to']) });
    response.redirect(303, url.href);
  });
  router.get('/callback', async (request, response) => {
    const left = cookies.attempt(request);
    cookies.forget(response);
    if (left === undefined) {
      throw new Problem(
        'unauthenticated',
        'You were not on your way to sign in, or it took too long; try again.',
      );
    }
    const returned = new URL(request.originalUrl, 'http://console').searchParams;
    cookies.signIn(response, await issuer.redeem(returned, left));
    show(response, goOnPage(ownPath(left.to)));
  });
  router.post('/sign-out', async (request, response) => {
    const { viewer } = await about.signedIn(request);
    checkFormToken(parsed(formBody, request.body).token, viewer);
    cookies.signOut(response);
    show(
      response,
      messagePage('Signed out', 'You are signed out here.', { href: HOME, text: 'Sign in again' }),
    );
  });
}

/** What keeps a visitor from deciding. */
function whyNot(request: ApprovalRequest, visitor: Visitor, deps: StandingDeps): string | undefined {
  const { phase } = request.status;
  if (phase !== 'Pending') return `This request is ${phase.toLowerCase()}; there is nothing left to decide.`;
  const { isApprover, isRequester } = standingOf(request, visitor, deps);
  if (isRequester && request.spec.approvers?.notTheRequester !== false) {
    return 'You made this call, so somebody else has to decide.';
  }
  return isApprover ? undefined : 'You are not among those who may decide this.';
}

/** A form of another site, or of something that is no browser, is not ours. */
function checkOrigin(request: Request, publicUrl: string): void {
  if (request.headers.origin === publicUrl) return;
  throw new Problem('not_allowed', `The form was not sent from ${publicUrl}.`);
}

function checkFormToken(given: string, { formToken: wanted }: Viewer): void {
  if (given === wanted) return;
  throw new Problem('not_allowed', 'The form is not of your sign-in; open the page again.');
}

/** Where to go on after signing in: a page of the console, and nothing else. */
function ownPath(wanted: unknown): string {
  return typeof wanted === 'string' && /^\/console\/(approvals\/[a-z0-9.-]{1,253})?$/.test(wanted)
    ? wanted
    : HOME;
}

function nameOf({ claims, subject }: VerifiedToken): string {
  const named = [claims['preferred_username'], claims['email'], subject];
  return named.find((name) => typeof name === 'string' && name !== '')?.toString() ?? subject;
}

function caBundleOf(issuer: string, board: BundleBoard): string | undefined {
  return (board.current() ?? [])
    .flatMap(({ identity }) => identity)
    .flatMap((provider) =>
      provider.kind === 'oidc' && provider.issuer === issuer ? [provider.caBundle] : [],
    )
    .find((ca) => ca !== undefined);
}

function show(response: Response, page: string): void {
  response.type('text/html; charset=utf-8').send(page);
}

function answerPages(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const problem = problemOf(error);
    if (problem.code === 'internal') log.error({ err: error }, 'A page failed unexpectedly.');
    response.status(problem.status);
    if (problem.code !== 'unauthenticated') {
      show(response, messagePage('Not possible', problem.message, { href: HOME, text: 'All approvals' }));
      return;
    }
    const here = ownPath(request.originalUrl.split('?')[0]);
    // A link from elsewhere: the browser keeps the strict cookie back until the page is asked for from here.
    if (request.method === 'GET' && request.headers['sec-fetch-site'] === 'cross-site' && isPage(request)) {
      response.status(200);
      show(response, goOnPage(here));
      return;
    }
    const href = `/console/sign-in?to=${encodeURIComponent(here)}`;
    show(response, messagePage('Sign in', problem.message, { href, text: 'Sign in' }));
  };
}

function isPage({ path }: Request): boolean {
  return path === '/' || path.startsWith('/approvals/');
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Problem('bad_request', 'The form cannot be read.');
  }
  return new Problem('internal', 'The page cannot be shown; the log of the operator says why.', {
    cause: error,
  });
}
