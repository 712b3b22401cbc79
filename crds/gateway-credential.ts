/** McpGateway spec.credentials: where a secret comes from, how long it is held and where it is put. */
import { z } from 'zod';
import { credentialInject } from './credential-inject.ts';
import { credentialSource } from './credential-source.ts';
import { refuseRepeated } from './gateway-access.ts';
import type { CrossRule } from './shapes.ts';
import { partName, withRules } from './shapes.ts';

const members = z.strictObject({
  name: partName,
  source: credentialSource,
  scope: z.enum(['Request', 'Session', 'Pod']).default('Session'),
  whenShared: z
    .enum(['Queue', 'Refuse', 'Pod'])
    .default('Queue')
    .describe('What happens to an outbound call whose caller is not certain.'),
  inject: credentialInject,
});

type Credential = z.output<typeof members>;

const credential = withRules(members, [
  {
    cel: "!has(self.inject.file) || self.scope == 'Pod'",
    message: 'must have scope: Pod where inject.file is given, because a file is read by every call',
    holds: (value: Credential) => !('file' in value.inject) || value.scope === 'Pod',
  },
]);

/** What two credentials cannot both have. */
interface Unshared {
  readonly what: string;
  readonly of: (credential: Credential) => string | number | undefined;
  /** The same of the variable `c` in CEL, and what stands there for undefined. */
  readonly cel: (c: string) => string;
  readonly none: string;
}

const unshared: readonly Unshared[] = [
  {
    what: 'inject.postgres.listen',
    of: ({ inject }) => ('postgres' in inject ? inject.postgres.listen : undefined),
    cel: (c) => `has(${c}.inject.postgres) ? ${c}.inject.postgres.listen : 0`,
    none: '0',
  },
  {
    what: 'inject.file.name',
    of: ({ inject }) => ('file' in inject ? inject.file.name : undefined),
    cel: (c) => `has(${c}.inject.file) ? ${c}.inject.file.name : ''`,
    none: "''",
  },
  {
    what: 'env',
    of: ({ inject }) => envOf(inject),
    cel: (c) =>
      ['egress', 'postgres', 'file']
        .map((way) => `has(${c}.inject.${way}) && has(${c}.inject.${way}.env) ? ${c}.inject.${way}.env : `)
        .concat("''")
        .join(''),
    none: "''",
  },
];

function envOf(inject: Credential['inject']): string | undefined {
  if ('egress' in inject) return inject.egress.env;
  if ('postgres' in inject) return inject.postgres.env;
  return 'file' in inject ? inject.file.env : undefined;
}

const onceEach = unshared.map(({ what, of, cel, none }): CrossRule<Credential[]> => ({
  cel: `self.all(c, (${cel('c')}) == ${none} || self.exists_one(d, (${cel('d')}) == (${cel('c')})))`,
  message: `must not have two with the same ${what}`,
  holds: (credentials) => {
    const values = credentials.map(of).filter((value) => value !== undefined);
    return new Set(values).size === values.length;
  },
}));

const list = z
  .array(credential)
  .max(32)
  .superRefine((credentials, context) => {
    refuseRepeated(credentials, context);
  });

export const gatewayCredentials = withRules(list, onceEach).meta({
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
});
