/** A zod schema as the structural schema that Kubernetes wants: OpenAPI v3, flat, without what it does not know. */
import { z } from 'zod';

/** The part of a structural schema that Gatehouse uses. */
export interface StructuralSchema {
  [keyword: string]: unknown;
  type?: string;
  properties?: Record<string, StructuralSchema>;
  items?: StructuralSchema;
  additionalProperties?: StructuralSchema;
}

const nested = z.record(z.string(), z.unknown());

/** What a schema takes (before defaults and conversions), as a structural schema. */
export function toStructural(schema: z.ZodType): StructuralSchema {
  return clean(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' }));
}

function clean(schema: unknown): StructuralSchema {
  const { additionalProperties, properties, items, ...rest } = nested.parse(schema);
  delete rest['propertyNames'];
  delete rest['$schema'];
  const cleaned: StructuralSchema = { ...rest };
  if (properties !== undefined) {
    const members = Object.entries(nested.parse(properties)).map(([name, member]) => [name, clean(member)]);
    if (members.length > 0) cleaned.properties = Object.fromEntries(members);
  }
  if (items !== undefined) cleaned.items = clean(items);
  // `false` is what a strict object says; the API server prunes or refuses unknown fields by itself.
  if (typeof additionalProperties === 'object') cleaned.additionalProperties = clean(additionalProperties);
  if (
    Array.isArray(cleaned['x-kubernetes-validations']) &&
    cleaned['x-kubernetes-validations'].length === 0
  ) {
    delete cleaned['x-kubernetes-validations'];
  }
  return cleaned;
}
