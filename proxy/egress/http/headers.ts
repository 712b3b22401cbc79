/** Headers as pairs in the order in which they came, and which of them stay on their own connection. */

export type Headers = readonly (readonly [name: string, value: string])[];

/** RFC 9110, 7.6.1, and what is between a client and its proxy. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** From the list of name, value, name, value that node:http keeps. */
export function pairsOf(raw: readonly string[]): Headers {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return pairs;
}

/** From node:http2, without pseudo headers. */
export function pairsOfObject(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Headers {
  return Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined || name.startsWith(':')) return [];
    return typeof value === 'string' ? [[name, value] as const] : value.map((one) => [name, one] as const);
  });
}

/** What travels on: without what is hop by hop, and without what the sender says is (which is never `host`). */
export function endToEnd(headers: Headers): Headers {
  const named = new Set(
    valuesOf(headers, 'connection').flatMap((value) =>
      value.split(',').map((name) => name.trim().toLowerCase()),
    ),
  );
  const teTrailers = valuesOf(headers, 'te').some((value) => /(?:^|,)\s*trailers\s*(?:$|,)/i.test(value));
  return [
    ...headers.filter(([name]) => {
      const lower = name.toLowerCase();
      return !HOP_BY_HOP.has(lower) && (!named.has(lower) || lower === 'host');
    }),
    ...(teTrailers ? ([['te', 'trailers']] as const) : []),
  ];
}

/** `name` is in lower case. */
export function valuesOf(headers: Headers, name: string): string[] {
  return headers.flatMap(([candidate, value]) => (candidate.toLowerCase() === name ? [value] : []));
}

/** With one value, where the first one stood; `name` is in lower case. */
export function withHeader(headers: Headers, name: string, value: string): Headers {
  const at = headers.findIndex(([candidate]) => candidate.toLowerCase() === name);
  const shown = headers[at]?.[0] ?? name;
  const others = without(headers, name);
  const before = at === -1 ? others.length : at;
  return [...others.slice(0, before), [shown, value], ...others.slice(before)];
}

export function without(headers: Headers, ...names: readonly string[]): Headers {
  return headers.filter(([candidate]) => !names.includes(candidate.toLowerCase()));
}

/** The form that node:http takes. */
export function flat(headers: Headers): string[] {
  return headers.flatMap(([name, value]) => [name, value]);
}

/** The form that node:http2 takes; what comes several times is a list. */
export function objectOf(headers: Headers): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    const before = object[lower];
    object[lower] =
      before === undefined ? value : [...(typeof before === 'string' ? [before] : before), value];
  }
  return object;
}
