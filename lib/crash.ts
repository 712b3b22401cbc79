/** What a process says when something was thrown that nothing caught, in place of what Node would print. */
import { GatehouseError } from './errors.ts';

const MAX_FRAMES = 12;

/**
 * One line of JSON, as of a log. Node would print the error with all that it carries, and the words of an error that is not
 * ours may quote what was read: they stay out, and its kind, its code and where it was thrown stay in.
 */
export function crashLine(thrown: unknown, time: Date): string {
  const err = thrown instanceof Error ? describe(thrown) : { type: typeof thrown };
  const msg = 'gatehouse ends, because of an error that nothing caught';
  return `${JSON.stringify({ level: 'fatal', time: time.toISOString(), name: 'gatehouse', err, msg })}\n`;
}

function describe(error: Error): object {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const own = error instanceof GatehouseError ? error.message : undefined;
  return { type: error.constructor.name, code, message: own, at: framesOf(error) };
}

/** The message stands before the frames, and may have lines of its own; where it was changed since, nobody can tell them apart. */
function framesOf({ stack = '', message }: Error): string[] {
  const at = stack.indexOf(message);
  if (at === -1) return [];
  return stack
    .slice(at + message.length)
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, MAX_FRAMES)
    .map((line) => line.slice('    at '.length));
}
