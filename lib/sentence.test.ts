import { expect, it } from 'vitest';
import { because } from './sentence.ts';

it.each([
  ['the server asks for a file', 'It was withheld: the server asks for a file.'],
  ['The policy a/b blocks it.', 'It was withheld: The policy a/b blocks it.'],
  ['it stands at $.result.', 'It was withheld: it stands at $.result.'],
  ['more than 1.5 MB', 'It was withheld: more than 1.5 MB.'],
])('ends once: %s', (why, sentence) => {
  expect(because('It was withheld', why)).toBe(sentence);
});
