/** The files that `gatehouse try` is given beside the manifests. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { sentenceOf } from '../../lib/errors.ts';
import { parseJson } from '../../lib/json/index.ts';
import { UsageError } from '../io.ts';

const texts = z.array(z.string());

const identity = z
  .strictObject({
    subject: z.string().min(1).optional(),
    username: z.string().min(1).optional(),
    groups: texts.default([]),
    serviceAccount: z
      .string()
      .regex(/^[^/:]+\/[^/:]+$/, 'must be namespace/name')
      .optional(),
    spiffeId: z.string().startsWith('spiffe://').optional(),
    provider: z.string().optional(),
    issuer: z.string().optional(),
    clientId: z.string().optional(),
    claims: z.record(z.string(), z.unknown()).default({}),
  })
  .refine((value) => value.subject !== undefined || value.serviceAccount !== undefined, {
    message: 'must have a subject',
  });

const secrets = z.record(z.string(), z.string());

export type Identity = z.output<typeof identity>;

/** Throws UsageError with a sentence that names the file and the member. */
export function readIdentity(path: string): Promise<Identity> {
  return read('--identity', path, identity);
}

/** Name to value. Throws UsageError; no value is quoted. */
export function readSecrets(path: string): Promise<Readonly<Record<string, string>>> {
  return read('--secrets', path, secrets);
}

async function read<T extends z.ZodType>(option: string, path: string, schema: T): Promise<z.output<T>> {
  const parsed = schema.safeParse(await readJson(option, path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? 'it' : issue.path.join('.');
  throw new UsageError(
    `${option} ${path} cannot be used: ${place}: ${issue?.message ?? 'has the wrong form'}.`,
  );
}

async function readJson(option: string, path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new UsageError(`${option} ${path} cannot be read (${code}).`, { cause });
  }
  try {
    return parseJson(text);
  } catch (cause) {
    throw new UsageError(`${option} ${path} cannot be used: ${sentenceOf(cause)}`, { cause });
  }
}
