/**
 * Where in an MCP message what lies, for both protocol families: which values other messages refer to and must
 * stay as they are, which names later calls use, what is base64, what is a JSON Schema, what is prose of the
 * protocol. Everything that is not named here is payload, vendors' members included.
 */
export type Role =
  /** Data: everything applies. */
  | 'payload'
  /** Members the protocol defines: selectors by key do not apply, since a key `name` there is not the data's. */
  | 'protocol'
  /** Text that a tool or resource gave: as protocol, but tables and JSON inside it are payload. */
  | 'text'
  /** Given back to the server or matched with it: a hit withholds the message. */
  | 'opaque'
  /** What a list offers for later calls: a hit hides the list's element. */
  | 'name'
  /** Base64: replaced as a whole by base64. */
  | 'blob'
  /** A JSON Schema: only the values in it are data. */
  | 'schema';

export interface Shape {
  readonly role: Role;
  readonly members?: Readonly<Record<string, Shape>>;
  /** Of members that are not named; payload where this is absent. */
  readonly rest?: Shape;
  /** Set where the other side answers under the keys: a hit in one withholds the message. */
  readonly opaqueKeys?: true;
  /** Of elements; the shape itself where this is absent. */
  readonly items?: Shape;
}

export const PAYLOAD: Shape = { role: 'payload' };
const protocol: Shape = { role: 'protocol' };
const text: Shape = { role: 'text' };
const opaque: Shape = { role: 'opaque' };
const name: Shape = { role: 'name' };
const blob: Shape = { role: 'blob' };
const schema: Shape = { role: 'schema' };

function object(members: Record<string, Shape>): Shape {
  return { role: 'protocol', members };
}

function listOf(items: Shape): Shape {
  return { role: 'protocol', items };
}

const meta: Shape = {
  role: 'payload',
  members: {
    progressToken: opaque,
    'io.modelcontextprotocol/related-task': object({ taskId: opaque }),
    'io.modelcontextprotocol/subscriptionId': opaque,
    'io.modelcontextprotocol/protocolVersion': opaque,
  },
};

const described = {
  title: protocol,
  description: protocol,
  mimeType: protocol,
  icons: listOf(object({ src: protocol, mimeType: protocol })),
  annotations: { role: 'payload' } satisfies Shape,
  _meta: meta,
};

const resourceContents = object({ uri: protocol, mimeType: protocol, text, blob, _meta: meta });

// Content nests: the result of a tool that a sampled message reports holds content again.
const contentMembers: Record<string, Shape> = {
  ...described,
  type: opaque,
  text,
  data: blob,
  name: protocol,
  uri: protocol,
  resource: resourceContents,
  id: opaque,
  toolUseId: opaque,
  input: PAYLOAD,
  structuredContent: PAYLOAD,
};
const contentBlock = object(contentMembers);
const content: Shape = { role: 'protocol', members: contentMembers, items: contentBlock };
contentMembers['content'] = content;

const messages = listOf(object({ role: opaque, content, _meta: meta }));

const tool = object({ ...described, name, inputSchema: schema, outputSchema: schema });
const prompt = object({ ...described, name, arguments: listOf(object({ ...described, name: protocol })) });
const resource = object({ ...described, uri: name, name: protocol });
const resourceTemplate = object({ ...described, uriTemplate: name, name: protocol });

const implementation = object({ ...described, name: protocol, version: protocol, websiteUrl: protocol });
const capabilities: Shape = { role: 'payload' };

const task = {
  taskId: opaque,
  status: opaque,
  statusMessage: protocol,
  createdAt: protocol,
  lastUpdatedAt: protocol,
};

const inputRequest = object({
  method: opaque,
  params: object({
    message: protocol,
    url: protocol,
    mode: opaque,
    elicitationId: opaque,
    requestedSchema: schema,
    systemPrompt: protocol,
    messages,
    tools: listOf(object({ ...described, name: protocol, inputSchema: schema, outputSchema: schema })),
    _meta: meta,
  }),
});

const resultMembers: Record<string, Shape> = {
  _meta: meta,
  resultType: opaque,
  protocolVersion: opaque,
  instructions: protocol,
  serverInfo: implementation,
  capabilities,
  nextCursor: opaque,
  requestState: opaque,
  inputRequests: { role: 'payload', rest: inputRequest, opaqueKeys: true },
  tools: listOf(tool),
  prompts: listOf(prompt),
  resources: listOf(resource),
  resourceTemplates: listOf(resourceTemplate),
  contents: listOf(resourceContents),
  content,
  structuredContent: PAYLOAD,
  messages,
  description: protocol,
  completion: object({ values: protocol }),
  role: opaque,
  model: protocol,
  stopReason: protocol,
  roots: listOf(object({ uri: protocol, name: protocol })),
  action: opaque,
  task: object(task),
  tasks: listOf(object(task)),
  ...task,
};
const result = object(resultMembers);
// tasks/get carries the result of the call inside its own.
resultMembers['result'] = result;

const subscriptions = object({ resourceSubscriptions: listOf(opaque), taskIds: listOf(opaque) });

const error = object({ message: protocol, data: { role: 'payload', members: { requestState: opaque } } });
resultMembers['error'] = error;

const params = object({
  ...resultMembers,
  name: opaque,
  uri: opaque,
  method: opaque,
  cursor: opaque,
  requestId: opaque,
  progressToken: opaque,
  arguments: PAYLOAD,
  data: PAYLOAD,
  logger: protocol,
  level: opaque,
  message: protocol,
  reason: protocol,
  url: protocol,
  mode: opaque,
  elicitationId: opaque,
  requestedSchema: schema,
  systemPrompt: protocol,
  clientInfo: implementation,
  inputResponses: { role: 'payload', opaqueKeys: true },
  ref: object({ type: opaque, name: opaque, uri: opaque }),
  argument: object({ name: protocol, value: protocol }),
  notifications: subscriptions,
  tools: listOf(object({ ...described, name: protocol, inputSchema: schema, outputSchema: schema })),
});

const message = object({ jsonrpc: opaque, id: opaque, method: opaque, params, result, error });

/** A JSON-RPC message, or the elements of a batch of them. */
export const MESSAGE: Shape = { ...message, items: message };

/** The shape of a member. `payload` goes all the way down. */
export function memberShape(shape: Shape, key: string): Shape {
  const { members } = shape;
  if (members !== undefined && Object.hasOwn(members, key)) return members[key] ?? PAYLOAD;
  return shape.rest ?? (shape.role === 'schema' ? schemaMember(key) : PAYLOAD);
}

export function elementShape(shape: Shape): Shape {
  return shape.items ?? shape;
}

const SCHEMA_DATA = new Set(['default', 'const', 'enum', 'examples']);

/** In a schema the values are data: a default may be a password. The rest is the schema's own language. */
function schemaMember(key: string): Shape {
  return SCHEMA_DATA.has(key) ? PAYLOAD : schema;
}
