/** The admission webhooks over HTTP: `/inject` for pods, `/validate` for the kinds of gatehouse.dev. */
import express, { Router, type ErrorRequestHandler, type Request, type Response } from 'express';
import { sentenceOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { admitPod } from './admit-pod.ts';
import { admitPolicy, type PolicySurroundings } from './admit-policy.ts';
import type { Surroundings } from './decide.ts';
import { admissionReview, reviewOf, type AdmissionRequest, type Verdict } from './review.ts';

/** etcd takes objects of 1.5 MiB, and an update carries two of them. */
const MAX_BODY = '4mb';

type AdmissionSurroundings = Omit<Surroundings, 'namespace'> & PolicySurroundings;

export interface AdmissionDeps {
  /** Undefined until the cluster is known; until then every question is refused, so that nothing slips through. */
  readonly surroundings: () => AdmissionSurroundings | undefined;
  readonly log: Logger;
}

/**
 * Answers AdmissionReviews and writes nothing, so that a dry run is answered like any other. What cannot be read or
 * fails unexpectedly is answered with an HTTP error, which the API server takes for a refusal (failurePolicy Fail).
 */
export function createAdmissionRouter(deps: AdmissionDeps): Router {
  const router = Router();
  router.use(express.json({ limit: MAX_BODY, type: () => true }));
  router.post('/inject', (request, response) => {
    answer(request, response, deps, admitPod);
  });
  router.post('/validate', (request, response) => {
    answer(request, response, deps, admitPolicy);
  });
  router.use(failed(deps.log));
  return router;
}

function answer(
  request: Request,
  response: Response,
  deps: AdmissionDeps,
  judge: (asked: AdmissionRequest, around: AdmissionSurroundings) => Verdict,
): void {
  const review = admissionReview.safeParse(request.body);
  if (!review.success) {
    response.status(400).json({ message: 'The body must be an AdmissionReview of admission.k8s.io/v1.' });
    return;
  }
  const around = deps.surroundings();
  if (around === undefined) {
    response
      .status(503)
      .json({ message: 'Gatehouse does not know the gateways of the cluster yet; try again.' });
    return;
  }
  const asked = review.data.request;
  const verdict = judge(asked, around);
  if (!verdict.allowed)
    deps.log.warn(
      { namespace: asked.namespace, resource: asked.resource.resource, reason: verdict.message },
      'refused',
    );
  response.json(reviewOf(asked.uid, verdict));
}

function failed(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const status = error instanceof Error && 'status' in error ? error.status : undefined;
    if (status === 413 || status === 400) {
      response.status(status).json({ message: `The body cannot be read: ${sentenceOf(error)}.` });
      return;
    }
    log.error({ err: error }, 'An admission review failed unexpectedly.');
    response.status(500).json({ message: 'Gatehouse failed to judge the object; its log says why.' });
  };
}
