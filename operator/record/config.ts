/** The recorder's configuration: the environment, read once and checked. */
import { isAbsolute, relative, resolve } from 'node:path';
import { z } from 'zod';
import { GatehouseError } from '../../lib/errors.ts';
import { parseAddress, type Address } from '../../lib/listen.ts';
import { LOG_LEVELS, type LogLevel } from '../../lib/log.ts';

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export class RecorderConfigError extends GatehouseError {
  readonly code = 'bad_config';
}

export interface RecorderConfig {
  readonly listen: Address;
  readonly metricsListen: Address;
  readonly tls: { readonly certFile: string; readonly keyFile: string };
  /** Tokens of writers; without it the API server of the cluster is asked who they are. */
  readonly tokensFile: string | undefined;
  /** Instead of the service account of the pod. */
  readonly kubeconfig: string | undefined;
  readonly storeDir: string;
  /** Outside the store: who can write the store must not be able to sign for it. */
  readonly signingKeyFile: string;
  /** How long closed segments are kept at least; undefined keeps them for ever. */
  readonly retentionMs: number | undefined;
  readonly logLevel: LogLevel;
  /** End when standard input does: the process that started this one is gone. */
  readonly exitWithParent: boolean;
}

const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/, 'must be a number and a unit of s, m, h or d, such as 90d')
  .transform((text) => Number(text.slice(0, -1)) * unitOf(text.slice(-1)));

const path = z.string().min(1, 'must name a file or directory');

const environment = z.object({
  GATEHOUSE_LISTEN: z.string().default('0.0.0.0:8443'),
  GATEHOUSE_METRICS_LISTEN: z.string().default('0.0.0.0:9090'),
  GATEHOUSE_TLS_CERT_FILE: path,
  GATEHOUSE_TLS_KEY_FILE: path,
  GATEHOUSE_TOKENS_FILE: path.optional(),
  GATEHOUSE_TOKEN_REVIEW: z.enum(['0', '1']).default('0'),
  GATEHOUSE_KUBECONFIG: path.optional(),
  GATEHOUSE_STORE_DIR: path,
  GATEHOUSE_SIGNING_KEY_FILE: path,
  GATEHOUSE_RETENTION: duration.optional(),
  GATEHOUSE_LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  GATEHOUSE_EXIT_WITH_PARENT: z.enum(['0', '1']).default('0'),
});

/** Throws RecorderConfigError with a sentence that names the variable. */
export function readRecorderConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): RecorderConfig {
  const parsed = environment.safeParse(env);
  if (!parsed.success) throw new RecorderConfigError(sentenceFor(parsed.error.issues[0]));
  const from = parsed.data;
  const config = {
    listen: parseAddress(from.GATEHOUSE_LISTEN, 'GATEHOUSE_LISTEN'),
    metricsListen: parseAddress(from.GATEHOUSE_METRICS_LISTEN, 'GATEHOUSE_METRICS_LISTEN'),
    tls: { certFile: from.GATEHOUSE_TLS_CERT_FILE, keyFile: from.GATEHOUSE_TLS_KEY_FILE },
    tokensFile: from.GATEHOUSE_TOKENS_FILE,
    kubeconfig: from.GATEHOUSE_KUBECONFIG,
    storeDir: resolve(from.GATEHOUSE_STORE_DIR),
    signingKeyFile: resolve(from.GATEHOUSE_SIGNING_KEY_FILE),
    retentionMs: from.GATEHOUSE_RETENTION,
    logLevel: from.GATEHOUSE_LOG_LEVEL,
    exitWithParent: from.GATEHOUSE_EXIT_WITH_PARENT === '1',
  };
  if ((config.tokensFile === undefined) !== (from.GATEHOUSE_TOKEN_REVIEW === '1')) {
    throw new RecorderConfigError(
      'The recorder needs to know its writers: set either GATEHOUSE_TOKENS_FILE, or in a cluster GATEHOUSE_TOKEN_REVIEW=1.',
    );
  }
  if (liesWithin(config.signingKeyFile, config.storeDir)) {
    throw new RecorderConfigError(
      'GATEHOUSE_SIGNING_KEY_FILE lies within GATEHOUSE_STORE_DIR; keep the key where the store is not.',
    );
  }
  return config;
}

function unitOf(letter: string): number {
  return letter === 's' || letter === 'm' || letter === 'h' || letter === 'd' ? UNIT_MS[letter] : NaN;
}

function liesWithin(file: string, directory: string): boolean {
  const way = relative(directory, file);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function sentenceFor(issue: z.core.$ZodIssue | undefined): string {
  const name = String(issue?.path[0] ?? 'The environment');
  if (issue?.code === 'invalid_type') return `${name} is not set; the recorder needs it.`;
  return `${name} is wrong: ${issue?.message ?? 'it cannot be read'}.`;
}
