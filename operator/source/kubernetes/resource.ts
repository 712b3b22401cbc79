/** Kinds of the API server, their paths, and what every object of them has. */
import { z } from 'zod';

export interface Resource<T extends KubeObject = KubeObject> {
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  readonly plural: string;
  /** Reads one object. What it does not know it lets go, so that little is kept of objects that are not ours. */
  readonly schema: z.ZodType<T>;
}

const meta = {
  name: z.string(),
  uid: z.string(),
  resourceVersion: z.string(),
  creationTimestamp: z.string(),
  generation: z.number().default(0),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  deletionTimestamp: z.string().optional(),
};

/** Metadata of an object in a namespace. */
export const namespacedMeta = z.object({ ...meta, namespace: z.string() });
/** Metadata of an object of the cluster. */
export const clusterMeta = z.object({ ...meta, namespace: z.string().default('') });

export interface KubeObject {
  readonly metadata: z.output<typeof namespacedMeta>;
}

/** Where a resource is found. Without a namespace: everywhere, or an object of the cluster. */
export function pathOf(
  resource: Pick<Resource, 'apiVersion' | 'plural'>,
  where: { namespace?: string | undefined; name?: string; subresource?: string } = {},
): string {
  const { apiVersion, plural } = resource;
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const inside =
    where.namespace === undefined || where.namespace === '' ? '' : `/namespaces/${segment(where.namespace)}`;
  const name = where.name === undefined ? '' : `/${segment(where.name)}`;
  const below = where.subresource === undefined ? '' : `/${segment(where.subresource)}`;
  return `${base}${inside}/${plural}${name}${below}`;
}

/** `namespace/name`, or the name alone for an object of the cluster. */
export function keyOf({
  metadata,
}: {
  readonly metadata: { readonly namespace: string; readonly name: string };
}): string {
  return metadata.namespace === '' ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** Names come from objects of others, so none of them may lead to another path. */
function segment(text: string): string {
  if (!/^[A-Za-z0-9]([A-Za-z0-9.:_-]*[A-Za-z0-9])?$/.test(text))
    throw new Error('A name has an unexpected form.');
  return encodeURIComponent(text);
}
