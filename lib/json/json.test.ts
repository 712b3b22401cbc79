import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  decodeUtf8,
  elements,
  JsonTextError,
  locate,
  mayHaveKey,
  members,
  parseJson,
  removeElements,
  scanJsonAt,
  splice,
} from './index.ts';

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof JsonTextError) return error.code;
    throw error;
  }
  return 'accepted';
}

/** JSON text with space wherever the grammar allows it, which JSON.stringify never writes. */
const spacedJson = fc
  .tuple(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 1, '\t', '\n '))
  .map(([value, indent]) => ` ${JSON.stringify(value, null, indent)}\r\n`);

describe('parseJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(spacedJson, (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('agrees with JSON.parse on whether a text is JSON', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '"',
      '\\',
      '1',
      '-',
      '.',
      'e',
      '+',
      '0',
      ' ',
      'true',
    ];
    const soup = fc.array(
      fc.constantFrom(...pieces, 'nul', 'null', '\u0000', '\ufeff', '\\u00e9', 'u12', '\u2028'),
    );
    fc.assert(
      fc.property(soup, (parts) => {
        const text = parts.join('');
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        const code = codeOf(() => parseJson(text));
        expect(code === 'accepted' || code === 'json_duplicate_key').toBe(valid);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    '',
    ' ',
    '{',
    '[1,]',
    '{"a":1,}',
    '{"a"}',
    '{a:1}',
    '01',
    '-',
    '1.',
    '.5',
    '1e',
    '+1',
    '0x1',
    'NaN',
    '"\t"',
    '"\\x"',
    '"\\u12g4"',
    '"abc',
    '"\\',
    '[1 2]',
    '1 1',
    'tru',
    '[1}',
    '{"a":1]',
    "'a'",
    '\ufeff{}',
    '{}\u00a0',
    '//\n1',
  ])('refuses %j', (text) => {
    expect(codeOf(() => parseJson(text))).toBe('json_invalid');
  });

  it.each(['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '[{"x":{"é":1,"\\u00e9":1}}]', '{"":1,"":1}'])(
    'refuses the double key in %j',
    (text) => {
      expect(codeOf(() => parseJson(text))).toBe('json_duplicate_key');
    },
  );

  it('takes the same key in different objects', () => {
    expect(parseJson('{"a":{"a":1},"b":[{"a":1},{"a":2}]}')).toEqual({
      a: { a: 1 },
      b: [{ a: 1 }, { a: 2 }],
    });
  });

  it('keeps __proto__ an ordinary member', () => {
    const value = parseJson('{"__proto__":{"polluted":true}}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(JSON.stringify(value)).toBe('{"__proto__":{"polluted":true}}');
    expect(codeOf(() => parseJson('{"__proto__":1,"__proto__":2}'))).toBe('json_duplicate_key');
  });

  it('bounds the depth without using the call stack', () => {
    expect(codeOf(() => parseJson('['.repeat(256) + ']'.repeat(256)))).toBe('accepted');
    expect(codeOf(() => parseJson('['.repeat(257) + ']'.repeat(257)))).toBe('json_too_deep');
    expect(codeOf(() => parseJson('[{"a":'.repeat(1_000_000)))).toBe('json_too_deep');
    expect(codeOf(() => parseJson('[[1]]', { maxDepth: 1 }))).toBe('json_too_deep');
    expect(codeOf(() => parseJson('['.repeat(100_000), { maxDepth: Infinity }))).toBe('json_invalid');
  });

  it('says where, and never what', () => {
    expect(() => parseJson('{\n "hush": "s3cr3t",\n  oops }')).toThrow(/line 3, column 3/);
    expect(() => parseJson('{"hush":1,"hush":2}')).toThrow(/^(?!.*hush).*line 1, column 11/);
  });
});

describe('scanJsonAt', () => {
  const nobody = {
    openObject() {},
    openArray() {},
    closeObject() {},
    closeArray() {},
    key() {},
    string() {},
    number() {},
    literal() {},
  };

  it('ends where the value ends, whatever is around it', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 4 }),
        fc.constantFrom('', 'x ', '{"'),
        fc.constantFrom('', ' x', ']', ',1'),
        (value, before, after) => {
          const text = JSON.stringify(value);
          expect(scanJsonAt(before + text + after, before.length, nobody)).toBe(before.length + text.length);
        },
      ),
    );
  });

  it('refuses a value that does not end', () => {
    expect(codeOf(() => scanJsonAt('see {"a":1', 4, nobody))).toBe('json_invalid');
  });
});

describe('decodeUtf8', () => {
  it('reads what TextEncoder writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeUtf8(new TextEncoder().encode(text))).toBe(text);
      }),
    );
  });

  it.each([[[0xff]], [[0xc0, 0x80]], [[0xed, 0xa0, 0x80]], [[0xf4, 0x90, 0x80, 0x80]], [[0xe2, 0x82]]])(
    'refuses the bytes %j',
    (bytes) => {
      expect(codeOf(() => decodeUtf8(Uint8Array.from(bytes)))).toBe('json_not_utf8');
    },
  );

  it('keeps a byte order mark, for the parser to refuse', () => {
    expect(codeOf(() => parseJson(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d))))).toBe(
      'json_invalid',
    );
  });
});

/** Every path of a value, with the value there. */
function* paths(value: unknown, at: (string | number)[] = []): Generator<[(string | number)[], unknown]> {
  yield [at, value];
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* paths(item, [...at, index]);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) yield* paths(item, [...at, key]);
  }
}

describe('locate, elements, members', () => {
  it('says of no text that it lacks a key that it has, however the key is written', () => {
    for (const text of ['{"a":{"key":1}}', String.raw`{"k\u0065y":1}`, String.raw`{"\u006bey":1}`]) {
      expect(mayHaveKey(text, 'key')).toBe(true);
    }
    expect(mayHaveKey('{"a":"the key","b":[1,2]}', 'keys')).toBe(false);
    expect(locate(String.raw`{"b":2,"k\u0065y":1}`, ['key'])).toEqual({ start: 18, end: 19 });
  });

  it('find every value where it lies', () => {
    fc.assert(
      fc.property(spacedJson, (text) => {
        for (const [path, value] of paths(JSON.parse(text))) {
          const span = locate(text, path);
          expect(span && JSON.parse(text.slice(span.start, span.end))).toEqual(value);
        }
      }),
    );
  });

  it('find nothing where nothing is', () => {
    expect(locate('{"a":[1]}', ['b'])).toBeUndefined();
    expect(locate('{"a":[1]}', ['a', 1])).toBeUndefined();
    expect(locate('{"a":[1]}', ['a', 'length'])).toBeUndefined();
    expect(locate('{"a":"x"}', ['a', 0, 'b'])).toBeUndefined();
    expect(elements('{}', { start: 0, end: 2 })).toEqual([]);
    expect(members('[]', { start: 0, end: 2 })).toEqual([]);
  });

  it('give decoded keys with their spans', () => {
    const text = '{ "\\u0061\\"" : [ "}" , {} ] }';
    expect(members(text, { start: 0, end: text.length })).toEqual([
      { key: 'a"', keySpan: { start: 2, end: 12 }, value: { start: 15, end: 27 } },
    ]);
  });
});

describe('splice', () => {
  it('of nothing, or of what is there already, is identity', () => {
    fc.assert(
      fc.property(spacedJson, (text) => {
        expect(splice(text, [])).toBe(text);
        const edits = [...paths(JSON.parse(text))]
          .filter(([, value]) => typeof value !== 'object')
          .map(([path]) => locate(text, path))
          .filter((span) => span !== undefined)
          .map((span) => ({ ...span, text: text.slice(span.start, span.end) }));
        expect(splice(text, edits.toReversed())).toBe(text);
      }),
    );
  });

  it('refuses edits that overlap or lie outside', () => {
    expect(() =>
      splice('abcdef', [
        { start: 0, end: 3, text: '' },
        { start: 2, end: 4, text: '' },
      ]),
    ).toThrow(RangeError);
    expect(() => splice('abc', [{ start: 2, end: 4, text: '' }])).toThrow(RangeError);
  });

  it('puts in before what is taken out at the same place, in whatever order they are given', () => {
    const edits = [
      { start: 1, end: 3, text: '' },
      { start: 1, end: 1, text: 'x' },
    ];
    expect(splice('abcd', edits)).toBe('axd');
    expect(splice('abcd', edits.toReversed())).toBe('axd');
  });

  it('takes array elements out with their commas', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 2 })),
        fc.array(fc.nat(12)),
        fc.constantFrom(0, 2),
        (list, gone, indent) => {
          const text = ` ${JSON.stringify(list, null, indent)} `;
          const span = locate(text, []);
          const left = splice(text, span === undefined ? [] : removeElements(text, span, new Set(gone)));
          const kept = list.filter((_, index) => !gone.includes(index));
          expect(JSON.parse(left)).toEqual(JSON.parse(JSON.stringify(kept)));
        },
      ),
    );
  });
});

/** The same value with the keys of every object in the opposite order. */
function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, backwards(item)]),
  );
}

describe('canonicalJson', () => {
  it('writes the example of RFC 8785 section 3.2.3', () => {
    const text =
      '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew","1":"One","\\ud83d\\ude00":"Emoji","\\u0080":"Control","\\u00f6":"o"}';
    expect(Object.values(JSON.parse(canonicalJson(text)) as object)).toHaveLength(7);
    expect([...canonicalJson(text).matchAll(/:"(\w+)/g)].map((match) => match[1])).toEqual([
      'Carriage',
      'One',
      'Control',
      'o',
      'Euro',
      'Emoji',
      'Hebrew',
    ]);
  });

  it('keeps numbers as they are written', () => {
    expect(canonicalJson('{ "b": 9007199254740993, "a": [1.0, -0, 1E400] }')).toBe(
      '{"a":[1.0,-0,1E400],"b":9007199254740993}',
    );
  });

  it('is the same for every way to write a value, and keeps the value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const plain = JSON.stringify(value);
        expect(canonicalJson(JSON.stringify(backwards(value), null, 3))).toBe(canonicalJson(plain));
        expect(canonicalJson(canonicalJson(plain))).toBe(canonicalJson(plain));
        expect(JSON.parse(canonicalJson(plain))).toEqual(JSON.parse(plain));
      }),
    );
    expect(canonicalJson('"\\u0061\\/\\u000A"')).toBe('"a/\\n"');
  });

  it('puts one more escape where RFC 8785 demands it', () => {
    expect(canonicalJson('"\\u0007\\u001F\\u2028"')).toBe('"\\u0007\\u001f\u2028"');
  });
});
