/**
 * `Mcp-Param-*` headers repeat arguments (2026-07-28). Who reads bodies must see that both say the same, and who changes
 * an argument must change its header too. Which argument a header repeats is learnt from the tools that the server lists.
 */
import { Refusal } from '../refusal.ts';
import { decodeHeaderValue, encodeHeaderValue } from '../lib/header-value.ts';

/** Header names, lower case, with the path of the argument each repeats. */
type Declared = ReadonlyMap<string, readonly string[]>;

const MAX_TOOLS = 10_000;
const PREFIX = 'mcp-param-';

export class ParameterHeaders {
  readonly #byTool = new Map<string, Declared>();

  /** Reads `x-mcp-header` out of a `tools/list` result. */
  learn(text: string): void {
    if (!text.includes('"x-mcp-header"')) return;
    const message: unknown = JSON.parse(text);
    const tools = valueAt(message, ['result', 'tools']);
    for (const tool of Array.isArray(tools) ? tools : []) {
      const name = valueAt(tool, ['name']);
      if (typeof name !== 'string' || this.#byTool.size >= MAX_TOOLS) continue;
      const declared = new Map<string, readonly string[]>();
      collect(valueAt(tool, ['inputSchema']), [], declared);
      this.#byTool.set(name, declared);
    }
  }

  /** Throws a Refusal when a header that is known to repeat an argument says something else. */
  check(tool: string, args: () => unknown, headers: Readonly<Record<string, string>>): void {
    const declared = this.#byTool.get(tool);
    if (declared === undefined || declared.size === 0) return;
    const given = args();
    for (const [header, path] of declared) {
      const value = valueAt(given, path);
      const text = asText(value);
      if (text === undefined) continue;
      const sent = headers[header];
      const decoded = sent === undefined ? undefined : decodeHeaderValue(sent);
      const same =
        decoded !== undefined &&
        (decoded === text || (typeof value === 'number' && decimal(decoded) === value));
      if (!same) throw mismatch(header, path);
    }
  }

  /** The headers as they must be once arguments were rewritten. Those of unknown meaning go through `mask`. */
  rewrite(
    tool: string,
    args: unknown,
    headers: Readonly<Record<string, string>>,
    mask: (value: string) => string,
  ): Record<string, string> {
    const declared = this.#byTool.get(tool);
    const rewritten: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers)) {
      const path = declared?.get(name);
      const text = path === undefined ? undefined : asText(valueAt(args, path));
      if (!name.startsWith(PREFIX)) rewritten[name] = value;
      else rewritten[name] = encodeHeaderValue(text ?? mask(decodeHeaderValue(value) ?? ''));
    }
    return rewritten;
  }
}

/** Only a chain of `properties` leads to an argument that a header may repeat. */
function collect(schema: unknown, path: readonly string[], declared: Map<string, readonly string[]>): void {
  const properties = valueAt(schema, ['properties']);
  if (typeof properties !== 'object' || properties === null || path.length > 16) return;
  for (const [key, property] of Object.entries(properties)) {
    const header = valueAt(property, ['x-mcp-header']);
    if (typeof header === 'string') declared.set(PREFIX + header.toLowerCase(), [...path, key]);
    collect(property, [...path, key], declared);
  }
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let at: unknown = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = new Map<string, unknown>(Object.entries(at)).get(key);
  }
  return at;
}

function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'number' && (Number.isSafeInteger(value) || !Number.isInteger(value))
    ? String(value)
    : undefined;
}

function decimal(text: string): number | undefined {
  return /^-?\d{1,20}(\.\d{1,20})?$/.test(text) ? Number(text) : undefined;
}

function mismatch(header: string, path: readonly string[]): Refusal {
  return new Refusal(
    'header_mismatch',
    `Headers and body disagree: ${header} must repeat the argument ${path.join('.')}.`,
    {
      status: 400,
      as: -32020,
      data: { mismatch: { header } },
    },
  );
}
