/** McpGateway spec.credentials: where a secret comes from, how long it is held and where it is put. */
import { z } from 'zod';
import { credentialInject } from './credential-inject.ts';
import { credentialSource } from './credential-source.ts';
import { refuseRepeated } from './gateway-access.ts';
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

export const gatewayCredentials = z
  .array(credential)
  .max(32)
  .superRefine((credentials, context) => {
    refuseRepeated(credentials, context);
  })
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });
