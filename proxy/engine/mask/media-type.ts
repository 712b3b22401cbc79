/** Media types as RFC 9110, section 8.3.1, writes them. */
export interface MediaType {
  /** `type/subtype`, lower case. */
  readonly essence: string;
  readonly parameters: ReadonlyMap<string, string>;
}

export function mediaTypeOf(text: string): MediaType {
  const [essence = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = rest.map((part): [string, string] => {
    const equals = part.indexOf('=');
    if (equals < 0) return [part.toLowerCase(), ''];
    const value = part.slice(equals + 1).trim();
    return [part.slice(0, equals).trim().toLowerCase(), value.replace(/^"(.*)"$/, '$1').toLowerCase()];
  });
  return { essence: essence.toLowerCase(), parameters: new Map(parameters) };
}

/** Whether what is of one type is of the other, which says as much or less. */
export function isOfType(type: MediaType, wanted: MediaType): boolean {
  return (
    type.essence === wanted.essence &&
    [...wanted.parameters].every(([name, value]) => type.parameters.get(name) === value)
  );
}

/** Whether each message follows its own length, as Prometheus and others say it. */
export function isDelimited({ parameters }: MediaType): boolean {
  return parameters.get('encoding') === 'delimited' || parameters.get('delimited') === 'true';
}
