/** Admission of McpGateway, MaskingPolicy and ApprovalRule: what the schemas of the API server cannot check. */
import { z } from 'zod';
import { parseManifests, type PolicyObject } from '#crds';
import { describedMessages, DescriptorUnusable } from '../descriptors.ts';
import type { ConfigMaps } from '../source/snapshot.ts';
import type { AdmissionRequest, Verdict } from './review.ts';

const named = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });
/** An object that goes needs no more than to let its finalizers be taken away. */
const leaving = z.looseObject({ metadata: z.looseObject({ deletionTimestamp: z.string() }) });

export interface PolicySurroundings {
  readonly configMaps: ConfigMaps;
}

/** Where the sentences say the object stands, before it has a name for certain. */
const NOWHERE = 'object.json';

export function admitPolicy(request: AdmissionRequest, { configMaps }: PolicySurroundings): Verdict {
  const { object, operation } = request;
  if (operation === 'DELETE' || leaving.safeParse(object).success) return { allowed: true };
  const { problems, objects } = parseManifests([{ path: NOWHERE, text: JSON.stringify(object) }], {
    environment: 'Cluster',
  });
  const [parsed] = objects;
  if (problems.length === 0 && parsed !== undefined) return admitDescriptors(parsed, configMaps);
  const title = titleOf(object);
  const sentences = problems.map(({ message }) => message.replace(`${NOWHERE}, document 1:`, title));
  if (sentences.length > 0) return { allowed: false, message: sentences.join(' ') };
  return {
    allowed: false,
    message: `${title} is not a kind that Gatehouse reads; its webhook configuration is not the chart's.`,
  };
}

/** A ConfigMap that is not there may come after the policy; one that is there must be right. */
function admitDescriptors(object: PolicyObject, configMaps: ConfigMaps): Verdict {
  if (object.kind !== 'MaskingPolicy') return { allowed: true };
  try {
    describedMessages(object, configMaps);
    return { allowed: true };
  } catch (error) {
    if (!(error instanceof DescriptorUnusable)) throw error;
    return error.code === 'DescriptorNotFound'
      ? { allowed: true, warnings: [error.message] }
      : { allowed: false, message: error.message };
  }
}

function titleOf(object: unknown): string {
  const read = named.safeParse(object);
  return read.success ? `${read.data.kind} ${read.data.metadata.name}:` : 'The object:';
}
