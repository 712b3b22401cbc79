/** What the installation's settings say of sidecars, as helm values make them. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { DEFAULT_RESOURCES, type InjectionSettings } from './settings.ts';

const quantities = z.record(z.string(), z.union([z.string(), z.number().transform(String)]));
const httpsUrl = z.url({ protocol: /^https$/, error: 'must be an https URL' });

export const injectionSettings = z.strictObject({
  image: z.string().min(1),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  controlUrl: httpsUrl,
  recorderUrl: httpsUrl,
  resolvers: z.array(z.string().refine((text) => isIP(text) !== 0, 'must be an IP address')).min(1),
  listenHost: z.enum(['[::]', '0.0.0.0']).default('[::]'),
  resources: z
    .strictObject({ requests: quantities, limits: quantities })
    .default(() => ({
      requests: { ...DEFAULT_RESOURCES.requests },
      limits: { ...DEFAULT_RESOURCES.limits },
    })),
});

/** What is left is made by the operator: the roots, and the key of probe paths. */
export type GivenInjection = Omit<InjectionSettings, 'ca' | 'probeKey' | 'namespace'>;
