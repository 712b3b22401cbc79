/** Where the secrets lie that rules name for their webhooks. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sentenceOf } from '../../../lib/errors.ts';
import { Secret } from '../../../lib/secret.ts';
import type { KubeClient } from '../../source/kubernetes/client.ts';
import { isRefused } from '../../source/kubernetes/errors.ts';
import { DeliveryError } from './channel.ts';
import type { WebhookDeps } from './webhook.ts';

type SecretOf = WebhookDeps['secretOf'];

const fields = z.record(z.string(), z.string());
const secretObject = z.object({ data: fields.default({}) });

/** `secrets/NAME.json` below the manifests, as credentials from files: a JSON object of key to value. */
export function secretsInDirectory(directory: string): SecretOf {
  return async (_namespace, { name, key }) => {
    const file = join(directory, 'secrets', `${name}.json`);
    try {
      return valueOf(fields.parse(JSON.parse(await readFile(file, 'utf8'))), key, file);
    } catch (cause) {
      if (cause instanceof DeliveryError) throw cause;
      // What a parser says of a file may show some of it.
      const reason =
        cause instanceof Error && 'code' in cause ? sentenceOf(cause) : 'it is no JSON object of texts';
      throw new DeliveryError(`The secrets in ${file} cannot be read: ${reason}.`);
    }
  };
}

/** A Secret beside the rule, which whoever owns the namespace lets the operator read. */
export function secretsInCluster(client: Pick<KubeClient, 'request'>): SecretOf {
  return async (namespace, { name, key }) => {
    const where = `the Secret ${namespace}/${name}`;
    try {
      const answer = await client.request({
        method: 'GET',
        path: `/api/v1/namespaces/${namespace}/secrets/${name}`,
      });
      const { data } = secretObject.parse(answer);
      const decoded = Object.entries(data).map(([field, value]) => [
        field,
        Buffer.from(value, 'base64').toString(),
      ]);
      return valueOf(fields.parse(Object.fromEntries(decoded)), key, where);
    } catch (cause) {
      if (cause instanceof DeliveryError) throw cause;
      const reason = isRefused(cause, 403)
        ? 'the operator may not; grant its ServiceAccount get on it with a Role'
        : sentenceOf(cause);
      throw new DeliveryError(`${where.replace('the', 'The')} cannot be read: ${reason}.`, { cause });
    }
  };
}

function valueOf(values: Readonly<Record<string, string>>, key: string, where: string): Secret {
  const value = Object.hasOwn(values, key) ? values[key]?.trim() : undefined;
  if (value === undefined || value === '') throw new DeliveryError(`There is no "${key}" in ${where}.`);
  return new Secret(value);
}
