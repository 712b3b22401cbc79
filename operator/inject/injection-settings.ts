/** What the installation's settings say of sidecars, as helm values make them. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { GatehouseError } from '../../lib/errors.ts';
import { DEFAULT_RESOURCES, type InjectionSettings } from './settings.ts';

const quantities = z.record(z.string(), z.union([z.string(), z.number().transform(String)]));
const httpsUrl = z.url({ protocol: /^https$/, error: 'must be an https URL' });

const injectionSettings = z.strictObject({
  image: z.string().min(1),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  controlUrl: httpsUrl,
  recorderUrl: httpsUrl,
  resolvers: z.array(z.string().refine((text) => isIP(text) !== 0, 'must be an IP address')).min(1),
  clusterDomain: z.string().min(1).default('cluster.local'),
  listenHost: z.enum(['[::]', '0.0.0.0']).default('[::]'),
  resources: z.strictObject({ requests: quantities, limits: quantities }).default(() => ({
    requests: { ...DEFAULT_RESOURCES.requests },
    limits: { ...DEFAULT_RESOURCES.limits },
  })),
});

/** What is left is made by the operator: the roots, and the key of probe paths. */
export type GivenInjection = Omit<InjectionSettings, 'ca' | 'probeKey' | 'placeholderKey' | 'namespace'>;

/** The settings of injection cannot be used; the sentence says what is wrong. */
export class InjectionSettingsError extends GatehouseError {
  readonly code = 'bad_settings';
}

/** Undefined where the installation says nothing of it: then every pod that opts in is refused. */
export function readInjection(value: unknown): GivenInjection | undefined {
  if (value === undefined) return undefined;
  const read = injectionSettings.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const place = ['injection', ...(issue?.path ?? [])].map(String).join('.');
  throw new InjectionSettingsError(`The settings are wrong at ${place}: ${issue?.message ?? 'unreadable'}.`);
}
