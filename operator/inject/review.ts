/** The API server's question and the answer to it (admission.k8s.io/v1). */
import { z } from 'zod';
import type { Operation } from './patch.ts';

const admissionRequest = z.looseObject({
  uid: z.string().min(1).max(128),
  kind: z.looseObject({ group: z.string(), kind: z.string() }),
  resource: z.looseObject({ group: z.string(), resource: z.string() }),
  subResource: z.string().optional(),
  namespace: z.string().default(''),
  operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
  object: z.unknown(),
  oldObject: z.unknown(),
});

export const admissionReview = z.looseObject({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: admissionRequest,
});

export type AdmissionRequest = z.infer<typeof admissionRequest>;

/** What a handler says of one request. */
export type Verdict =
  | { readonly allowed: true; readonly patch?: readonly Operation[]; readonly warnings?: readonly string[] }
  | { readonly allowed: false; readonly message: string };

const MAX_WARNING = 256;

/** The body to answer with. */
export function reviewOf(uid: string, verdict: Verdict): object {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, ...responseOf(verdict) },
  };
}

function responseOf(verdict: Verdict): object {
  if (!verdict.allowed) {
    return { allowed: false, status: { code: 403, reason: 'Forbidden', message: verdict.message } };
  }
  const { patch = [], warnings = [] } = verdict;
  return {
    allowed: true,
    ...(patch.length > 0 && {
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
    }),
    // Longer ones are cut by the API server without a sign.
    ...(warnings.length > 0 && { warnings: warnings.map((text) => text.slice(0, MAX_WARNING)) }),
  };
}
