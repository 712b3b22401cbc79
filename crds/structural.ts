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
  const { description, type, additionalProperties, properties, items, ...rest } = nested.parse(schema);
  delete rest['propertyNames'];
  delete rest['$schema'];
  // What zod says besides the pattern of a text that begins so; the API server warns of formats that it does not know.
  if (rest['format'] === 'starts_with') delete rest['format'];
  const members: Record<string, StructuralSchema> = {};
  for (const [name, member] of Object.entries(nested.parse(properties ?? {}))) members[name] = clean(member);
  return {
    ...(typeof description === 'string' && { description }),
    ...(typeof type === 'string' && { type }),
    ...rest,
    ...(Object.keys(members).length > 0 && { properties: members }),
    ...(items !== undefined && { items: clean(items) }),
    // `false` is what a strict object says; the API server prunes or refuses unknown fields by itself.
    ...(typeof additionalProperties === 'object' && { additionalProperties: clean(additionalProperties) }),
  };
}
