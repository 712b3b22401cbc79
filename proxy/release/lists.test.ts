import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Target } from '../exchange.ts';
import { keepPrivate } from './cache-hints.ts';
import { filterList } from './lists.ts';
import { learnOutputSchemas } from './output-schemas.ts';

const nameOf = (target: Target): string => (target.kind === 'resource' ? target.uri : target.name);
const only =
  (...names: string[]) =>
  (target: Target): boolean =>
    names.includes(nameOf(target));

/** Texts of tools with space, escapes and numbers that no JSON.stringify would write again. */
const space = fc.constantFrom('', ' ', '\t', '  ');
const spelled = fc.constantFrom(
  '9007199254740993',
  '1.0',
  '1e2',
  '-0',
  '"\\u0041\\/"',
  '[ ]',
  '{ "name" : "inner" }',
);
const tool = fc
  .record({ name: fc.constantFrom('a', 'b', 'c', 'd'), pad: space, extra: spelled, last: fc.boolean() })
  .map(({ name, pad, extra, last }) => ({
    name,
    text: last
      ? `{${pad}"x":${pad}${extra},"name"${pad}:"${name}"${pad}}`
      : `{"name":${pad}"${name}",${pad}"x":${extra}}`,
  }));

describe('filterList', () => {
  it('leaves what stays byte for byte, in its order, and keeps the rest of the message', () => {
    fc.assert(
      fc.property(
        fc.array(tool, { maxLength: 8 }),
        fc.subarray(['a', 'b', 'c', 'd']),
        space,
        (tools, seen, pad) => {
          const before = `{${pad}"jsonrpc":"2.0","id":9007199254740993,"result":{"_meta":{"n":1.50},"tools":[`;
          const after = `],${pad}"nextCursor":"\\u0063"}}${pad}`;
          const text = `${before}${tools.map((each) => each.text).join(`${pad},`)}${after}`;
          const filtered = filterList(text, 'tools/list', only(...seen));

          const kept = tools.filter((each) => seen.includes(each.name));
          expect(filtered?.startsWith(before)).toBe(true);
          expect(filtered?.endsWith(after)).toBe(true);
          const list: unknown = JSON.parse(
            `[${filtered?.slice(before.length, filtered.length - after.length) ?? ''}]`,
          );
          expect(list).toEqual(kept.map((each): unknown => JSON.parse(each.text)));
          let from = 0;
          for (const each of kept) {
            const at = filtered?.indexOf(each.text, from) ?? -1;
            expect(at).toBeGreaterThanOrEqual(from);
            from = at + each.text.length;
          }
          if (kept.length === tools.length) expect(filtered).toBe(text);
        },
      ),
    );
  });

  it.each([
    [
      'prompts/list',
      '{"result":{"prompts":[{"name":"a"},{"name":"b"}]}}',
      '{"result":{"prompts":[{"name":"b"}]}}',
    ],
    [
      'resources/list',
      '{"result":{"resources":[{"uri":"b","name":"a"},{"uri":"a","name":"b"}]}}',
      '{"result":{"resources":[{"uri":"b","name":"a"}]}}',
    ],
    [
      'resources/templates/list',
      '{"result":{"resourceTemplates":[{"uriTemplate":"b"},{"uriTemplate":"{b}"}]}}',
      '{"result":{"resourceTemplates":[{"uriTemplate":"b"}]}}',
    ],
  ])('filters %s', (method, text, expected) => {
    expect(filterList(text, method, only('b'))).toBe(expected);
  });

  it('takes out what does not say what it is', () => {
    const text = '{"result":{"tools":[{"name":1},{"name":null},{},"b",{"title":"b"},{"name":"\\u0062"}]}}';
    expect(filterList(text, 'tools/list', only('b'))).toBe('{"result":{"tools":[{"name":"\\u0062"}]}}');
  });

  it('has nothing to filter in errors and in other answers', () => {
    for (const text of ['{"error":{"code":1,"message":"x"}}', '{"result":{}}', '{"result":[]}']) {
      expect(filterList(text, 'tools/list', only())).toBe(text);
    }
    const call = '{"result":{"tools":[{"name":"a"}]}}';
    expect(filterList(call, 'tools/call', only())).toBe(call);
    expect(filterList(call, undefined, only())).toBe(call);
  });

  it('does not let through what should be a list and is none', () => {
    expect(filterList('{"result":{"tools":{"a":{"name":"a"}}}}', 'tools/list', only())).toBeUndefined();
  });
});

describe('keepPrivate', () => {
  it.each([
    [
      '{"result":{"ttlMs":300000,"cacheScope":"public"}}',
      '{"result":{"ttlMs":60000,"cacheScope":"private"}}',
    ],
    ['{"result":{"ttlMs": 5 ,"cacheScope":"private"}}', '{"result":{"ttlMs": 5 ,"cacheScope":"private"}}'],
    ['{"result":{"ttlMs":1e9}}', '{"result":{"ttlMs":60000}}'],
    ['{"result":{"ttlMs":"long","cacheScope":1}}', '{"result":{"ttlMs":60000,"cacheScope":"private"}}'],
    ['{"result":{"tools":[]}}', '{"result":{"tools":[]}}'],
    ['{"error":{"data":{"cacheScope":"public"}}}', '{"error":{"data":{"cacheScope":"public"}}}'],
  ])('%s', (text, expected) => {
    expect(keepPrivate(text)).toBe(expected);
  });
});

describe('learnOutputSchemas', () => {
  it('remembers what each tool promises, and forgets what it no longer does', () => {
    const schemas = new Map<string, unknown>();
    learnOutputSchemas(
      schemas,
      '{"result":{"tools":[{"name":"a","outputSchema":{"type":"object"}},{"name":"b"}]}}',
    );
    expect([...schemas]).toEqual([['a', { type: 'object' }]]);
    learnOutputSchemas(schemas, '{"result":{"tools":[{"name":"b","outputSchema":{}},{"outputSchema":{}}]}}');
    expect([...schemas.keys()]).toEqual(['a', 'b']);
    learnOutputSchemas(schemas, '{"result":{"tools":[{"name":"a"}]}}');
    expect([...schemas.keys()]).toEqual(['b']);
    learnOutputSchemas(schemas, '{"error":{"code":1}}');
    expect([...schemas.keys()]).toEqual(['b']);
  });
});
