/** The environment of the operator; the only place that reads it. */
import { LOG_LEVELS, type LogLevel } from '../lib/log.ts';
import { GatehouseError } from '../lib/errors.ts';

/** The environment says something that nobody can act on. */
export class ConfigError extends GatehouseError {
  readonly code = 'bad_environment';
}

export interface OperatorConfig {
  readonly logLevel: LogLevel;
  /** What processes that we start find in their environment, besides what we tell them. */
  readonly inherited: Readonly<Record<string, string>>;
}

/** Reads GATEHOUSE_LOG_LEVEL (default info). Throws ConfigError. */
export function readOperatorConfig(env: NodeJS.ProcessEnv = process.env): OperatorConfig {
  const wanted = env['GATEHOUSE_LOG_LEVEL'] ?? 'info';
  const logLevel = LOG_LEVELS.find((level) => level === wanted);
  if (logLevel === undefined) {
    throw new ConfigError(`GATEHOUSE_LOG_LEVEL is "${wanted}", but must be one of ${LOG_LEVELS.join(', ')}.`);
  }
  return { logLevel, inherited: withoutOurs(env) };
}

/** A stray GATEHOUSE_ variable of the user's shell must not reach a child as if we had set it. */
function withoutOurs(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('GATEHOUSE_'),
    ),
  );
}
