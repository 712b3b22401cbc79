import { expect, test } from 'vitest';
import { ParameterHeaders } from './parameter-headers.ts';

const inputSchema = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    limit: { type: 'integer', 'x-mcp-header': 'Limit' },
    nested: { type: 'object', properties: { deep: { type: 'boolean', 'x-mcp-header': 'Deep' } } },
    list: { type: 'array', items: { properties: { no: { 'x-mcp-header': 'No' } } } },
  },
};
const learnt = () => {
  const headers = new ParameterHeaders();
  headers.learn(
    JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'query', inputSchema }] } }),
  );
  return headers;
};

test.for([
  [{ region: 'eu' }, { 'mcp-param-region': 'eu' }],
  [{ region: 'späti' }, { 'mcp-param-region': '=?base64?c3DDpHRp?=' }],
  [{ limit: 42 }, { 'mcp-param-limit': '42.0' }],
  [{ nested: { deep: true } }, { 'mcp-param-deep': 'true' }],
  [{ region: null }, {}],
  [{}, { 'mcp-param-region': 'whatever' }],
  [{ list: [{ no: 'x' }] }, {}],
] as const)('%j agrees with %j', ([args, headers]) => {
  expect(() => learnt().check('query', () => args, headers)).not.toThrow();
});

test.for([
  [{ region: 'eu' }, {}],
  [{ region: 'eu' }, { 'mcp-param-region': 'us' }],
  [{ region: 'eu' }, { 'mcp-param-region': '=?base64?!?=' }],
  [{ limit: 42 }, { 'mcp-param-limit': '43' }],
  [{ limit: 42 }, { 'mcp-param-limit': '0x2a' }],
  [{ nested: { deep: true } }, { 'mcp-param-deep': 'false' }],
] as const)('%j does not agree with %j', ([args, headers]) => {
  expect(() => learnt().check('query', () => args, headers)).toThrow(
    expect.objectContaining({ code: 'header_mismatch', as: -32020, status: 400 }),
  );
});

test('what was rewritten in the body is rewritten in its header, and unknown headers are masked', () => {
  const masked = learnt().rewrite(
    'query',
    { region: '[REDACTED:x]' },
    { 'mcp-param-region': 'secret', 'mcp-param-other': 'secret', accept: 'secret' },
    () => '[masked]',
  );
  expect(masked).toEqual({
    'mcp-param-region': '[REDACTED:x]',
    'mcp-param-other': '[masked]',
    accept: 'secret',
  });
});
