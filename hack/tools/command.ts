/** The frame of the commands in hack: what goes wrong is a sentence, and wrong usage is status 2. */
import { GatehouseError } from '../../lib/errors.ts';

/** What is wrong with a command line. */
export class UsageError extends GatehouseError {
  readonly code = 'bad_usage';
}

/** Runs a command; resolves with its exit status. An error that nobody foresaw is passed on. */
export async function runCommand(command: () => Promise<void>): Promise<number> {
  try {
    await command();
    return 0;
  } catch (error) {
    const usage = error instanceof UsageError || isParseArgsError(error);
    if (!usage && !(error instanceof GatehouseError)) throw error;
    console.error(error.message);
    return usage ? 2 : 1;
  }
}

/** node:util's parseArgs says what is wrong in a sentence. */
function isParseArgsError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
