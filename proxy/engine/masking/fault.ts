import { checkJson, JsonTextError } from '../../../lib/json/index.ts';

/** What is wrong with a text that should be JSON, as a sentence; undefined where nothing is. */
export function faultOf(text: string): string | undefined {
  try {
    checkJson(text);
    return undefined;
  } catch (error) {
    if (error instanceof JsonTextError) return error.message;
    throw error;
  }
}
