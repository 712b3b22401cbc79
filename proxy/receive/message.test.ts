import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Refusal } from '../refusal.ts';
import { readMessages } from './message.ts';

const refusal = (text: string) => {
  try {
    readMessages(text);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
};

test.for([
  ['{', -32700],
  ['', -32700],
  ['{"jsonrpc":"2.0","id":1,"method":"ping"} x', -32700],
  ['\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}', -32700],
  ['{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', -32600],
  ['{"jsonrpc":"2.0","id":1,"m\\u0065thod":"ping","method":"tools/call"}', -32600],
  [`{"jsonrpc":"2.0","id":1,"method":"ping","params":${'{"a":'.repeat(300)}1${'}'.repeat(300)}}`, -32600],
  ['"ping"', -32600],
  ['null', -32600],
  ['{"id":1,"method":"ping"}', -32600],
  ['{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600],
  ['{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600],
  ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600],
  ['{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600],
  ['{"jsonrpc":"2.0","id":1,"method":7}', -32600],
  ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', -32600],
  ['{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', -32600],
  ['{"jsonrpc":"2.0","id":1}', -32600],
  ['[]', -32600],
  ['[{"jsonrpc":"2.0","id":1,"method":"initialize"}]', -32600],
  [`[${Array.from({ length: 101 }, () => '{"jsonrpc":"2.0","method":"x"}').join()}]`, -32600],
] as const)('%s gets the error that JSON-RPC has for it', ([text, code]) => {
  expect(refusal(text)).toMatchObject({ code: 'bad_request', status: 400, as: code });
});

test('a message keeps its text, and says what it wants to reach', () => {
  const text =
    ' {"params" : {"name":"query","arguments":{"n":9007199254740993}}, "method":"tools/call","id":"a","jsonrpc":"2.0"} ';
  expect(readMessages(text)).toMatchObject({
    batch: false,
    messages: [{ kind: 'request', id: 'a', target: { kind: 'tool', name: 'query' }, text }],
  });
});

test('a batch is taken apart into the texts of its messages', () => {
  const parts = [
    '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    '{"jsonrpc":"2.0","method":"notifications/x"}',
    '{"jsonrpc":"2.0","id":"s","result":{ }}',
  ];
  const { batch, messages } = readMessages(`\n[ ${parts.join(' ,\n')} ]`);
  expect(batch).toBe(true);
  expect(messages.map((message) => message.text)).toEqual(parts);
  expect(messages.map((message) => message.kind)).toEqual(['request', 'notification', 'response']);
});

test('no text makes it throw anything but a refusal', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((value) => JSON.stringify([value])),
      ),
      (text) => {
        try {
          readMessages(text);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      },
    ),
  );
});
