/** Finds placeholders in a request and puts values in their places. Pure. */
import type { Rendered } from './credential.ts';
import { valuesOf, withHeader, type Headers } from './headers.ts';
import type { FoundPlaceholder, Placeholders } from './placeholders.ts';

/** A request as far as credentials go into it. */
export interface Carrier {
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
}

const BASIC = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i;

/** All that stand in headers, in Basic credentials (RFC 7617) and in the path and query. */
export function placeholdersIn(
  { path, headers }: Carrier,
  placeholders: Placeholders,
  prefixes: readonly string[],
): FoundPlaceholder[] {
  const texts = [path, ...headers.flatMap(([, value]) => [value, decodedBasic(value) ?? ''])];
  return texts.flatMap((text) => placeholders.in(text, prefixes));
}

/** With the credential's value in; `placeholder` is the one that the request carries, where the credential has them. */
export function putIn(
  carrier: Carrier,
  { header, query, bare }: Rendered,
  placeholder: string | undefined,
): Carrier {
  if (placeholder === undefined) {
    return {
      headers:
        header === undefined ? carrier.headers : withHeader(carrier.headers, header.name, header.value),
      path: query === undefined ? carrier.path : withParameter(carrier.path, query.name, query.value),
    };
  }
  const declared =
    header !== undefined && valuesOf(carrier.headers, header.name).some((value) => holds(value, placeholder));
  const whole = declared && (!isBasic(carrier.headers, header.name) || /^Basic /.test(header.value));
  return {
    headers: whole
      ? withHeader(carrier.headers, header.name, header.value)
      : swapBasic(carrier.headers, placeholder, bare),
    path: query === undefined ? carrier.path : swapQuery(carrier.path, query, placeholder),
  };
}

function holds(value: string, placeholder: string): boolean {
  return value.includes(placeholder) || decodedBasic(value)?.includes(placeholder) === true;
}

function isBasic(headers: Headers, name: string): boolean {
  return valuesOf(headers, name).some((value) => BASIC.test(value));
}

/** Inside of Basic credentials the secret takes the place of the placeholder, and the rest is the client's. */
function swapBasic(headers: Headers, placeholder: string, value: string): Headers {
  return headers.map(([name, text]) => {
    if (name.toLowerCase() !== 'authorization') return [name, text];
    const credentials = decodedBasic(text);
    if (credentials?.includes(placeholder) !== true) return [name, text];
    const swapped = credentials.replaceAll(placeholder, () => value);
    return [name, `Basic ${Buffer.from(swapped, 'latin1').toString('base64')}`];
  });
}

function swapQuery(path: string, parameter: { name: string; value: string }, placeholder: string): string {
  return mapQuery(path, (pair) => {
    const equals = pair.indexOf('=');
    const declared = equals !== -1 && decoded(pair.slice(0, equals)) === parameter.name;
    if (!declared || !pair.includes(placeholder, equals)) return [pair];
    return [`${pair.slice(0, equals + 1)}${encodeURIComponent(parameter.value)}`];
  });
}

/** Whatever the client had under that name goes. */
function withParameter(path: string, name: string, value: string): string {
  const others = mapQuery(path, (pair) => (decoded(pair.split('=')[0] ?? '') === name ? [] : [pair]));
  const mark = others.includes('?') ? (others.endsWith('?') ? '' : '&') : '?';
  return `${others}${mark}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
}

function mapQuery(path: string, map: (pair: string) => readonly string[]): string {
  const at = path.indexOf('?');
  if (at === -1) return path;
  return `${path.slice(0, at + 1)}${path
    .slice(at + 1)
    .split('&')
    .flatMap(map)
    .join('&')}`;
}

function decodedBasic(value: string): string | undefined {
  const encoded = BASIC.exec(value)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('latin1');
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
