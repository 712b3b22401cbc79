/** Every place of a message in which a value may stand, both protocol families: no place lets a secret by. */
import { describe, expect, it } from 'vitest';
import { ALPHANUMERIC, filler } from './detectors/detector.ts';
import { messageWith } from '../../../test/fixtures/planted.ts';
import { compileMasker, createKnownSecrets } from './index.ts';

const SECRET = `k9-${filler(ALPHANUMERIC, 21)}`;
const BLOB = Buffer.from(`\u0000\u0001PNG ${SECRET} \u00ff`, 'latin1').toString('base64');

const known = createKnownSecrets({ now: () => 0 });
known.set('test', [SECRET]);
const masker = compileMasker([], { known, hashKey: new Uint8Array(32) });

/** What becomes of a message with the secret at a place: it is replaced, the message stays in, or the element goes. */
type Fate = 'replaced' | 'withheld' | 'hidden';

/** A path, with `*` where the secret is a key; the last step may be `blob:` for base64. */
type Row = readonly [path: string, fate: Fate];

const CONTENT = (base: string): Row[] => [
  [`${base}.text`, 'replaced'],
  [`${base}.data=blob`, 'replaced'],
  [`${base}.mimeType`, 'replaced'],
  [`${base}.name`, 'replaced'],
  [`${base}.title`, 'replaced'],
  [`${base}.uri`, 'replaced'],
  [`${base}.description`, 'replaced'],
  [`${base}.annotations.audience[0]`, 'replaced'],
  [`${base}.icons[0].src`, 'replaced'],
  [`${base}._meta.vendor.x[0]`, 'replaced'],
  [`${base}.resource.uri`, 'replaced'],
  [`${base}.resource.text`, 'replaced'],
  [`${base}.resource.blob=blob`, 'replaced'],
  [`${base}.input.deep[1].x`, 'replaced'],
  [`${base}.input.*`, 'replaced'],
  [`${base}.vendor`, 'replaced'],
  [`${base}.content[0].text`, 'replaced'],
  [`${base}.structuredContent.a`, 'replaced'],
  [`${base}.toolUseId`, 'withheld'],
  [`${base}.id`, 'withheld'],
  [`${base}.type`, 'withheld'],
];

const SERVER: Row[] = [
  ['id', 'withheld'],
  ['jsonrpc', 'withheld'],
  ['method', 'withheld'],
  ['vendor.x', 'replaced'],
  ['result._meta.serverInfo', 'replaced'],
  ['result._meta.traceparent', 'replaced'],
  ['result._meta.*', 'replaced'],
  ['result._meta.progressToken', 'withheld'],
  ['params._meta.tracestate', 'replaced'],
  ['error.message', 'replaced'],
  ['error.data', 'replaced'],
  ['error.data.stack[0]', 'replaced'],
  ['error.data.elicitations[0].url', 'replaced'],
  ['error.data.*', 'replaced'],
  ['result.nextCursor', 'withheld'],
  ['result.instructions', 'replaced'],
  ['result.serverInfo.name', 'replaced'],
  ['result.serverInfo.websiteUrl', 'replaced'],
  ['result.capabilities.experimental.x.*', 'replaced'],
  ['result.capabilities.extensions.x', 'replaced'],
  ['result.tools[0].name', 'hidden'],
  ['result.tools[0].title', 'replaced'],
  ['result.tools[0].description', 'replaced'],
  ['result.tools[0].annotations.title', 'replaced'],
  ['result.tools[0].inputSchema.properties.a.default', 'replaced'],
  ['result.tools[0].inputSchema.properties.a.description', 'replaced'],
  ['result.tools[0].inputSchema.properties.a.enum[0]', 'replaced'],
  ['result.tools[0].inputSchema.properties.a.const', 'replaced'],
  ['result.tools[0].inputSchema.properties.a.examples[0]', 'replaced'],
  ['result.tools[0].inputSchema.properties.a.pattern', 'replaced'],
  ['result.tools[0].inputSchema.properties.*', 'replaced'],
  ['result.tools[0].inputSchema.$ref', 'replaced'],
  ['result.tools[0].inputSchema.properties.a.x-mcp-header', 'replaced'],
  ['result.tools[0].outputSchema.properties.a.default', 'replaced'],
  ['result.tools[0].icons[0].src', 'replaced'],
  ['result.prompts[0].name', 'hidden'],
  ['result.prompts[0].description', 'replaced'],
  ['result.prompts[0].arguments[0].name', 'replaced'],
  ['result.prompts[0].arguments[0].description', 'replaced'],
  ['result.resources[0].uri', 'hidden'],
  ['result.resources[0].name', 'replaced'],
  ['result.resources[0].description', 'replaced'],
  ['result.resourceTemplates[0].uriTemplate', 'hidden'],
  ['result.resourceTemplates[0].name', 'replaced'],
  ['result.contents[0].uri', 'replaced'],
  ['result.contents[0].text', 'replaced'],
  ['result.contents[0].blob=blob', 'replaced'],
  ['result.contents[0].mimeType', 'replaced'],
  ['result.description', 'replaced'],
  ['result.completion.values[0]', 'replaced'],
  ...CONTENT('result.content[0]'),
  ...CONTENT('result.messages[0].content'),
  ['result.messages[0].role', 'withheld'],
  ['result.structuredContent', 'replaced'],
  ['result.structuredContent.rows[2].x', 'replaced'],
  ['result.structuredContent.rows[0].*', 'replaced'],
  ['result.inputRequests.a.params.message', 'replaced'],
  ['result.inputRequests.a.params.requestedSchema.properties.x.default', 'replaced'],
  ['result.inputRequests.a.params.messages[0].content.text', 'replaced'],
  ['result.inputRequests.*', 'withheld'],
  ['result.inputRequests.a.params._meta.*', 'replaced'],
  ['result.requestState', 'withheld'],
  ['result.resultType', 'withheld'],
  ['result.task.statusMessage', 'replaced'],
  ['result.task.taskId', 'withheld'],
  ['result.taskId', 'withheld'],
  ['result.statusMessage', 'replaced'],
  ['result.result.content[0].text', 'replaced'],
  ['result.result.structuredContent.a', 'replaced'],
  ['result.error.message', 'replaced'],
  ['result.tasks[0].statusMessage', 'replaced'],
  ['result.tasks[0].taskId', 'withheld'],
  ['result.vendor.anything[0]', 'replaced'],
  ['params.level', 'withheld'],
  ['params.logger', 'replaced'],
  ['params.data', 'replaced'],
  ['params.data.deep[0].*', 'replaced'],
  ['params.message', 'replaced'],
  ['params.progressToken', 'withheld'],
  ['params.uri', 'withheld'],
  ['params.reason', 'replaced'],
  ['params.requestId', 'withheld'],
  ['params.notifications.resourceSubscriptions[0]', 'withheld'],
  ['params.notifications.taskIds[0]', 'withheld'],
  ['params.taskId', 'withheld'],
  ['params.statusMessage', 'replaced'],
  ['params.elicitationId', 'withheld'],
  ['params.url', 'replaced'],
  ['params.requestedSchema.properties.a.title', 'replaced'],
  ['params.requestedSchema.properties.a.enumNames[0]', 'replaced'],
  ['params.systemPrompt', 'replaced'],
  ...CONTENT('params.messages[0].content[0]'),
  ['params.metadata.x', 'replaced'],
  ['params.stopSequences[0]', 'replaced'],
  ['params.tools[0].description', 'replaced'],
  ['params.modelPreferences.hints[0].name', 'replaced'],
  ['params.vendor[0]', 'replaced'],
];

const CLIENT: Row[] = [
  ['id', 'withheld'],
  ['params.name', 'withheld'],
  ['params.uri', 'withheld'],
  ['params.cursor', 'withheld'],
  ['params.requestState', 'withheld'],
  ['params.arguments.a.b[0]', 'replaced'],
  ['params.arguments.*', 'replaced'],
  ['params.ref.uri', 'withheld'],
  ['params.argument.value', 'replaced'],
  ['params.context.arguments.x', 'replaced'],
  ['params.inputResponses.a.content.x', 'replaced'],
  ['params.inputResponses.*', 'withheld'],
  ['params.clientInfo.name', 'replaced'],
  ['params._meta.io.modelcontextprotocol/clientInfo', 'replaced'],
  ['result.content.text', 'replaced'],
  ['result.content.answer', 'replaced'],
  ['result.model', 'replaced'],
  ['result.roots[0].uri', 'replaced'],
  ['result.roots[0].name', 'replaced'],
];

describe.each([
  ['server', 'release', SERVER],
  ['client', 'request', CLIENT],
] as const)('a secret in a message of the %s', (_, purpose, rows) => {
  it.each(rows)('at %s is %s', (path, fate) => {
    const message = messageWith(path, SECRET, BLOB);
    const outcome = masker.message(message, { purpose });
    expect(outcome.masked).toHaveLength(1);
    expect(JSON.stringify(outcome)).not.toContain(SECRET);
    if (fate === 'withheld') {
      expect(outcome).toMatchObject({
        kind: 'withheld',
        reason: expect.stringMatching(/^[A-Z].*\.$/) as unknown,
      });
      return;
    }
    if (outcome.kind === 'withheld') throw new Error(outcome.reason);
    const put = path.endsWith('=blob')
      ? Buffer.from('[REDACTED:known-secret]').toString('base64')
      : '[REDACTED:known-secret]';
    const value = path.endsWith('=blob') ? BLOB : SECRET;
    if (fate === 'replaced') expect(outcome.text).toBe(message.replace(value, put));
    else expect(JSON.stringify(JSON.parse(outcome.text))).toMatch(/\[\{"keep":"this"\}\]/);
  });

  it.each(rows)('at %s is replaced for the record', (path) => {
    const outcome = masker.message(messageWith(path, SECRET, BLOB), { purpose: 'record' });
    expect(outcome).toMatchObject({ kind: 'released', masked: [{ detector: 'known-secret' }] });
    expect(JSON.stringify(outcome)).not.toContain(SECRET);
  });
});

it('a batch is masked element by element', () => {
  const batch = [
    { jsonrpc: '2.0', id: 1, result: { tools: [{ name: SECRET }] } },
    { jsonrpc: '2.0', method: 'm', params: { data: SECRET } },
  ];
  expect(masker.message(JSON.stringify(batch), { purpose: 'release' })).toMatchObject({
    text: '[{"jsonrpc":"2.0","id":1,"result":{"tools":[]}},{"jsonrpc":"2.0","method":"m","params":{"data":"[REDACTED:known-secret]"}}]',
    masked: [{ path: '$[0].result.tools[0].name' }, { path: '$[1].params.data' }],
  });
});
