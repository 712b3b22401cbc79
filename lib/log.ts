/** Logs: one JSON object a line on stderr, so that stdout stays for what a verb answers. */
import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where finished lines go; `process.stderr` by default. */
export interface LogSink {
  write(line: string): unknown;
}

// A net, not the rule: nobody logs a secret, but a mistake must not show one either.
const SECRET_KEYS = [
  'authorization',
  'cookie',
  'token',
  'access_token',
  'password',
  'secret',
  'api_key',
  'privateKey',
];
const REDACTED_PATHS = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
// Each pattern is one greedy run after a fixed start, so both take linear time whatever the line holds.
const BEARER = /\b(Bearer|Basic) [A-Za-z0-9._~+/=-]{8,}/gi;
const JWT = /eyJ[A-Za-z0-9_.-]{16,}/g;

/** The logger of one process. `name` says which; children add what they are about: `log.child({ gateway })`. */
export function createLogger(
  options: { name: string; level: LogLevel },
  sink: LogSink = process.stderr,
): Logger {
  return pino(
    {
      name: options.name,
      level: options.level,
      base: { name: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
      serializers: { err: describeError },
    },
    { write: (line) => void sink.write(censorLine(line)) },
  );
}

/** A logger that says nothing, for tests and tools. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}

function censorLine(line: string): string {
  return line.replace(BEARER, '$1 [redacted]').replace(JWT, '[redacted]');
}

/** Name, code and sentence of an error and of its causes; the stack stays out, it tells an operator nothing. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  const cause = error.cause !== undefined && depth < 3 ? describeError(error.cause, depth + 1) : undefined;
  return { type: error.name, code, message: error.message, cause };
}
