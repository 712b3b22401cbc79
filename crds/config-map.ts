/** ConfigMaps, which are no kind of ours: policies name them for descriptor sets. */
import { z } from 'zod';
import { objectName } from './shapes.ts';

const configMap = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('ConfigMap'),
  metadata: z.object({ name: objectName, namespace: objectName.max(63).default('default') }),
  data: z.record(z.string(), z.string()).nullish(),
  binaryData: z.record(z.string(), z.string()).nullish(),
});

export interface ConfigMap {
  readonly namespace: string;
  readonly name: string;
  /** Key to base64: of `binaryData`, and of `data` where it holds base64 itself. */
  readonly entries: Readonly<Record<string, string>>;
}

/** Undefined for what is no ConfigMap. */
export function readConfigMap(value: unknown): ConfigMap | undefined {
  const read = configMap.safeParse(value);
  if (!read.success) return undefined;
  const { metadata, data, binaryData } = read.data;
  return { ...metadata, entries: { ...data, ...binaryData } };
}
