/** `gatehouse tools`: the pins of the tools that a server lists, for spec.tools.pins of its gateway. */
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { decodeUtf8, elements, JsonTextError, locate, parseJson, type JsonSpan } from '../lib/json/index.ts';
import { toolDefinition, type ToolDefinition } from '../proxy/engine/tool-definition.ts';
import { UsageError, type Io } from './io.ts';

const HELP = `Usage: gatehouse tools < ANSWER

Prints the pins of the tools in a server's answer to tools/list, for spec.tools.pins of its McpGateway.
Standard input holds the JSON-RPC answer, its result, or the list itself. Read the definitions before you
pin them: whoever pins one accepts what it says.
`;

/** Returns 0. Throws a UsageError for what is no list of tools. */
export async function runTools(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) {
    io.stdout.write(HELP);
    return 0;
  }
  const pins = pinsIn(readText(await buffer(io.stdin)));
  io.stdout.write(stringify({ pins: pins.map(({ name, digest }) => ({ name, digest })) }, { lineWidth: 0 }));
  return 0;
}

function readText(bytes: Uint8Array): string {
  try {
    const text = decodeUtf8(bytes);
    parseJson(text);
    return text;
  } catch (cause) {
    if (!(cause instanceof JsonTextError)) throw cause;
    throw new UsageError(`Standard input is no JSON that can be used: ${cause.message}`, { cause });
  }
}

/** Where the list may stand: in an answer, in its result, or by itself. */
const PLACES = [['result', 'tools'], ['tools'], []];

function pinsIn(text: string): ToolDefinition[] {
  const list = PLACES.map((path) => locate(text, path)).find(
    (span): span is JsonSpan => span !== undefined && text[span.start] === '[',
  );
  if (list === undefined) {
    throw new UsageError('Standard input holds no list of tools; give it the answer to tools/list.');
  }
  return elements(text, list).map((element, index) => {
    const definition = toolDefinition(text, element);
    if (definition === undefined) throw new UsageError(`Element ${index} of the list has no name.`);
    return definition;
  });
}
