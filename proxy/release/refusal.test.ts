import { describe, expect, it } from 'vitest';
import type { ClientRequest } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import { refusalMessage } from './refusal.ts';

function request(method: string, id: string | number = 7): ClientRequest {
  return { kind: 'request', id, method, target: undefined, params: {}, text: '' };
}

const denied = new Refusal('rule_denied', 'Rule tools/no denies "it".');

describe('refusalMessage', () => {
  it('is a tool result that a model can read where a tool was called', () => {
    expect(JSON.parse(refusalMessage(denied, request('tools/call'), 'legacy'))).toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: { content: [{ type: 'text', text: 'Rule tools/no denies "it".' }], isError: true },
    });
    expect(JSON.parse(refusalMessage(denied, request('tools/call', 'a"b'), 'modern'))).toMatchObject({
      id: 'a"b',
      result: { resultType: 'complete', isError: true },
    });
  });

  it('is an error with a code of our own for every other method', () => {
    expect(JSON.parse(refusalMessage(denied, request('prompts/get'), 'legacy'))).toEqual({
      jsonrpc: '2.0',
      id: 7,
      error: { code: 4403, message: 'Rule tools/no denies "it".' },
    });
  });

  it('keeps the code and data of the protocol', () => {
    const unknown = new Refusal('access_denied', 'Resource not found: a:b', {
      as: -32002,
      data: { uri: 'a:b' },
    });
    expect(JSON.parse(refusalMessage(unknown, request('tools/call'), 'legacy'))).toEqual({
      jsonrpc: '2.0',
      id: 7,
      error: { code: -32002, message: 'Resource not found: a:b', data: { uri: 'a:b' } },
    });
  });

  it('has a null id where no request is known', () => {
    expect(JSON.parse(refusalMessage(denied, undefined, 'modern'))).toMatchObject({
      id: null,
      error: { code: 4403 },
    });
  });
});
