/** Admission of McpGateway, MaskingPolicy and ApprovalRule: what the schemas of the API server cannot check. */
import { z } from 'zod';
import { parseManifests } from '#crds';
import type { AdmissionRequest, Verdict } from './review.ts';

const named = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });
/** An object that goes needs no more than to let its finalizers be taken away. */
const leaving = z.looseObject({ metadata: z.looseObject({ deletionTimestamp: z.string() }) });

/** Where the sentences say the object stands, before it has a name for certain. */
const NOWHERE = 'object.json';

export function admitPolicy(request: AdmissionRequest): Verdict {
  const { object, operation } = request;
  if (operation === 'DELETE' || leaving.safeParse(object).success) return { allowed: true };
  const { problems, objects } = parseManifests([{ path: NOWHERE, text: JSON.stringify(object) }], {
    environment: 'Cluster',
  });
  if (problems.length === 0 && objects.length === 1) return { allowed: true };
  const title = titleOf(object);
  const sentences = problems.map(({ message }) => message.replace(`${NOWHERE}, document 1:`, title));
  if (sentences.length > 0) return { allowed: false, message: sentences.join(' ') };
  return {
    allowed: false,
    message: `${title} is not a kind that Gatehouse reads; its webhook configuration is not the chart's.`,
  };
}

function titleOf(object: unknown): string {
  const read = named.safeParse(object);
  return read.success ? `${read.data.kind} ${read.data.metadata.name}:` : 'The object:';
}
