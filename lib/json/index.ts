/** JSON as text: checked, found in, edited in place and put in canonical form, without a detour over values. */
export { JsonTextError } from './error.ts';
export { decodeUtf8 } from './utf8.ts';
export { scanJson, scanJsonAt } from './scan.ts';
export { NOBODY, type JsonSpan, type JsonVisitor } from './visitor.ts';
export { checkJson, parseJson, stringValue, tokenValue } from './parse.ts';
export { elements, locate, mayHaveKey, members, valueAt } from './navigate.ts';
export { inOrder, removeElements, splice, type JsonEdit } from './splice.ts';
export { canonicalJson } from './canonical.ts';
