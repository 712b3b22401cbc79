/** What servers answer and ask, and every place in it where a value may stand. */
import { FAMILIES, type Family, type Fate, type Row } from './masked.ts';

/** What is asked, what the server says to it at least, and where in that the value stands. */
export interface Exchange {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result: object;
  readonly rows: readonly Row[];
  readonly only?: Family;
}

/** A test a row: method, path, fate, family and exchange. */
export function rowsOf(
  exchanges: readonly Exchange[],
): (readonly [string, string, Fate, Family, Exchange])[] {
  return exchanges.flatMap((exchange) =>
    exchange.rows.flatMap(([path, fate, only = exchange.only]) =>
      FAMILIES.filter((family) => only === undefined || family === only).map(
        (family) => [exchange.method, path, fate, family, exchange] as const,
      ),
    ),
  );
}

const DESCRIBED: readonly Row[] = [
  ['title', 'replaced'],
  ['description', 'replaced'],
  ['icons[0].src', 'replaced'],
  ['annotations.audience[0]', 'replaced'],
  ['_meta.vendor.x[0]', 'replaced'],
  ['vendor', 'replaced'],
];
export const at = (base: string, rows: readonly Row[]): Row[] =>
  rows.map(([path, ...rest]) => [`${base}.${path}`, ...rest]);

export const CONTENT: readonly Row[] = [
  ...DESCRIBED,
  ['text', 'replaced'],
  ['data=blob', 'replaced'],
  ['mimeType', 'replaced'],
  ['name', 'replaced'],
  ['uri', 'replaced'],
  ['resource.uri', 'replaced'],
  ['resource.text', 'replaced'],
  ['resource.blob=blob', 'replaced'],
  ['resource._meta.x', 'replaced'],
];
export const META: readonly Row[] = [
  ['_meta.serverInfo', 'replaced'],
  ['_meta.traceparent', 'replaced'],
  ['_meta.tracestate', 'replaced'],
  ['_meta.baggage', 'replaced'],
  ['_meta.vendor/deep.a[0].b', 'replaced'],
  ['_meta.*', 'replaced'],
];
const SCHEMA: readonly Row[] = [
  ['properties.a.default', 'replaced'],
  ['properties.a.description', 'replaced'],
  ['properties.a.enum[0]', 'replaced'],
  ['properties.a.const', 'replaced'],
  ['properties.a.examples[0]', 'replaced'],
  ['properties.a.pattern', 'replaced'],
  ['properties.*', 'replaced'],
];
export const SERVER: readonly Row[] = [
  ['instructions', 'replaced'],
  ['serverInfo.name', 'replaced'],
  ['serverInfo.title', 'replaced'],
  ['serverInfo.version', 'replaced'],
  ['serverInfo.description', 'replaced'],
  ['serverInfo.websiteUrl', 'replaced'],
  ['serverInfo.icons[0].src', 'replaced'],
  ['capabilities.experimental.x.*', 'replaced'],
  ['capabilities.extensions.x', 'replaced'],
  ...META,
];
export const CAPABLE = { capabilities: {}, serverInfo: { name: 's', version: '1' } };
export const ASKS: readonly Row[] = [
  ['message', 'replaced'],
  ['url', 'replaced'],
  ['elicitationId', 'withheld'],
  ...at('requestedSchema', SCHEMA),
  ['requestedSchema.properties.a.title', 'replaced'],
  ['requestedSchema.properties.a.enumNames[0]', 'replaced'],
  ['_meta.vendor', 'replaced'],
];
export const SAMPLES: readonly Row[] = [
  ['systemPrompt', 'replaced'],
  ['messages[0].content.text', 'replaced'],
  ['messages[0].content.data=blob', 'replaced'],
  ['messages[0].content.input.deep[1].x', 'replaced'],
  ['messages[0].content.content[0].text', 'replaced'],
  ['messages[0].content.structuredContent.a', 'replaced'],
  ['messages[0].content.toolUseId', 'withheld'],
  ['metadata.x', 'replaced'],
  ['stopSequences[0]', 'replaced'],
  ['tools[0].description', 'replaced'],
  ['modelPreferences.hints[0].name', 'replaced'],
];

/** A task that waits for the person before the client. */
export const ASKING = {
  taskId: 'task-1',
  status: 'input_required',
  inputRequests: { e: { method: 'elicitation/create', params: { mode: 'form', message: 'hi' } } },
};
/** What is said of a task. */
export const TASK_STATE: readonly Row[] = [
  ['statusMessage', 'replaced'],
  ['status', 'withheld'],
  ['createdAt', 'replaced'],
  ['_meta.vendor', 'replaced'],
];
/** That, and what the task came to or asks. */
export const TASK: readonly Row[] = [
  ...TASK_STATE,
  ['result.content[0].text', 'replaced'],
  ['result.structuredContent.rows[0].*', 'replaced'],
  ['result._meta.vendor', 'replaced'],
  ['error.message', 'replaced'],
  ['error.data.stack[0]', 'replaced'],
  ['inputRequests.e.params.message', 'replaced'],
  ['inputRequests.e.params.requestedSchema.properties.a.default', 'replaced'],
  ['inputRequests.e.params.elicitationId', 'withheld'],
  ['inputRequests.*', 'withheld'],
];

export const complete = { resultType: 'complete' };
export const ANSWERS: readonly Exchange[] = [
  {
    method: 'server/discover',
    only: 'modern',
    result: { ...complete, supportedVersions: ['2026-07-28'], ...CAPABLE },
    rows: SERVER,
  },
  {
    method: 'tools/list',
    result: {
      ...complete,
      tools: [
        { name: 'a', inputSchema: { type: 'object' } },
        { name: 'keep', inputSchema: {} },
      ],
    },
    rows: [
      ['tools[0].name', 'hidden'],
      ...at('tools[0]', DESCRIBED),
      ['tools[0].annotations.title', 'replaced'],
      ...at('tools[0].inputSchema', SCHEMA),
      ['tools[0].inputSchema.$ref', 'replaced'],
      ['tools[0].inputSchema.properties.a.x-mcp-header', 'replaced'],
      ...at('tools[0].outputSchema', SCHEMA),
      ['nextCursor', 'sealed'],
      ...META,
    ],
  },
  {
    method: 'resources/list',
    result: {
      ...complete,
      resources: [
        { uri: 'a:b', name: 'a' },
        { uri: 'keep:it', name: 'keep' },
      ],
    },
    rows: [
      ['resources[0].uri', 'hidden'],
      ['resources[0].name', 'replaced'],
      ['resources[0].mimeType', 'replaced'],
      ...at('resources[0]', DESCRIBED),
      ['nextCursor', 'sealed'],
    ],
  },
  {
    method: 'resources/templates/list',
    result: {
      ...complete,
      resourceTemplates: [
        { uriTemplate: 'a:{b}', name: 'a' },
        { uriTemplate: 'keep:{x}', name: 'k' },
      ],
    },
    rows: [
      ['resourceTemplates[0].uriTemplate', 'hidden'],
      ['resourceTemplates[0].name', 'replaced'],
      ...at('resourceTemplates[0]', DESCRIBED),
      ['nextCursor', 'sealed'],
    ],
  },
  {
    method: 'prompts/list',
    result: { ...complete, prompts: [{ name: 'a' }, { name: 'keep' }] },
    rows: [
      ['prompts[0].name', 'hidden'],
      ['prompts[0].arguments[0].name', 'replaced'],
      ['prompts[0].arguments[0].title', 'replaced'],
      ['prompts[0].arguments[0].description', 'replaced'],
      ...at('prompts[0]', DESCRIBED),
      ['nextCursor', 'sealed'],
    ],
  },
  {
    method: 'resources/read',
    params: { uri: 'a:b' },
    result: { ...complete, contents: [{ uri: 'a:b' }] },
    rows: [
      ['contents[0].uri', 'replaced'],
      ['contents[0].text', 'replaced'],
      ['contents[0].blob=blob', 'replaced'],
      ['contents[0].mimeType', 'replaced'],
      ['contents[0]._meta.x', 'replaced'],
      ...META,
    ],
  },
  {
    method: 'prompts/get',
    params: { name: 'a' },
    result: { ...complete, messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }] },
    rows: [
      ['description', 'replaced'],
      ...at('messages[0].content', CONTENT),
      ['messages[0].content.type', 'withheld'],
      ['messages[0].role', 'withheld'],
      ['messages[0].*', 'replaced'],
    ],
  },
  {
    method: 'completion/complete',
    params: { ref: { type: 'ref/prompt', name: 'a' }, argument: { name: 'x', value: 'y' } },
    result: { ...complete, completion: { values: ['a'] } },
    rows: [
      ['completion.values[0]', 'replaced'],
      ['completion.vendor', 'replaced'],
    ],
  },
  {
    method: 'tools/call',
    params: { name: 'a', arguments: {} },
    result: { ...complete, content: [{ type: 'text', text: 'hi' }] },
    rows: [
      ...at('content[0]', CONTENT),
      ['content[0].type', 'withheld'],
      ['structuredContent.rows[2].x', 'replaced'],
      ['structuredContent.rows[0].*', 'replaced'],
      ['structuredContent', 'replaced'],
      ['resultType', 'withheld'],
      ['task.statusMessage', 'replaced'],
      ['task.taskId', 'withheld'],
      ['taskId', 'withheld'],
      ['vendor.anything[0]', 'replaced'],
      ['*', 'replaced'],
      ...META,
    ],
  },
  {
    method: 'tools/call',
    params: { name: 'a', arguments: {} },
    only: 'modern',
    result: {
      resultType: 'input_required',
      requestState: 'round-1',
      inputRequests: {
        e: { method: 'elicitation/create', params: { mode: 'form', message: 'hi' } },
        s: {
          method: 'sampling/createMessage',
          params: { messages: [{ role: 'user', content: { type: 'text' } }] },
        },
        r: { method: 'roots/list' },
      },
    },
    rows: [
      ['requestState', 'sealed'],
      ...at('inputRequests.e.params', ASKS),
      ...at('inputRequests.s.params', SAMPLES),
      ['inputRequests.r.params._meta.vendor', 'replaced'],
      ['inputRequests.*', 'withheld'],
    ],
  },
];
