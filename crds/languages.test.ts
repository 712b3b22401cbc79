import { expect, test } from 'vitest';
import { checkJsonPath } from './json-path.ts';
import { checkPattern } from './regex.ts';
import { parseTemplate } from './template.ts';
import { parseDuration, parseSize } from './units.ts';

test.each([
  ['15m', 900_000],
  ['1h30m', 5_400_000],
  ['250ms', 250],
  ['90d', 7_776_000_000],
  ['', undefined],
  ['15', undefined],
  ['m', undefined],
  ['1.5h', undefined],
  ['-1s', undefined],
])('duration %j', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each([
  ['1048576', 1_048_576],
  ['4Mi', 4_194_304],
  ['4M', 4_000_000],
  ['1Gi', 1_073_741_824],
  ['4MB', undefined],
  ['', undefined],
  ['Ki', undefined],
])('size %j', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(['E-[0-9]{6}', '(?i)secret', '\\bkey\\b', '(a+)+$', '[a-z]{1,64}@'])(
  'pattern %j may be used',
  (pattern) => {
    expect(checkPattern(pattern)).toBeUndefined();
  },
);

test.each(['', 'a*', '^', '\\b', 'a|', 'x|\\b', '[a-z]*$'])(
  'pattern %j matches nothing at all',
  (pattern) => {
    expect(checkPattern(pattern)).toMatch(/^matches the empty string/);
  },
);

test.each(['(?<=a)b', '(a)\\1', 'a{1001}', '(a{50}){50}', '[', 'a++'])('pattern %j is not RE2', (pattern) => {
  expect(checkPattern(pattern)).toMatch(/^must be a regular expression in RE2 syntax: /);
});

test('a pattern has a longest length', () => {
  expect(checkPattern('a'.repeat(1000))).toBeUndefined();
  expect(checkPattern('a'.repeat(1001))).toBe('must be at most 1000 characters long');
});

test('a pattern has a largest program', () => {
  expect(checkPattern('[a-zα-ω]{900}'.repeat(6))).toBe('repeats too much; make its bounded repeats smaller');
});

test.each(['$.rows[*].ssn', "$['match(']", '$..a..b', '$[?@.a == 1]', '$'])('path %j may be used', (path) => {
  expect(checkJsonPath(path)).toBeUndefined();
});

test.each([
  ['a.b', 'must be a JSONPath (RFC 9535) that begins with "$"'],
  ["$[?match(@.a, '(a+)+')]", 'must not use match() or search(); use a detector with a pattern'],
  ['$..a..b..c', 'must have at most 2 ".." segments'],
])('path %j is refused', (path, message) => {
  expect(checkJsonPath(path)).toBe(message);
});

test.each(['$.', '$[', '$.a[?foo(@)]', '$.a b'])('path %j is no JSONPath', (path) => {
  expect(checkJsonPath(path)).toMatch(/^must be a JSONPath \(RFC 9535\): /);
});

test('a template is text and fields in turn', () => {
  expect(parseTemplate('Bearer {{ token }}')).toEqual([{ text: 'Bearer ' }, { field: 'token' }]);
  expect(parseTemplate('{{user}}:{{ pass }}!')).toEqual([
    { field: 'user' },
    { text: ':' },
    { field: 'pass' },
    { text: '!' },
  ]);
});

test.each(['', 'plain', '{{', '{{ }}', '{{ a b }}', '{{ a }', '{{ a }}\r\nX: y'])(
  'template %j is refused',
  (text) => {
    expect(parseTemplate(text)).toHaveProperty('problem');
  },
);
