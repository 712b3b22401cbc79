/** A credential that is put into calls outward: where it goes, and the values that go there. */
import { parseTemplate } from '../../../crds/template.ts';
import { coveredBy, type Destination } from '../destination.ts';
import { EgressRefused } from '../refused.ts';

interface Template {
  readonly name: string;
  /** With `{{ field }}`. */
  readonly value: string;
}

/** As a bundle has it. */
export interface OutboundCredential {
  readonly name: string;
  readonly whenShared: 'Queue' | 'Refuse' | 'Pod';
  /** Names, or `*.suffix`. */
  readonly hosts: readonly Destination[];
  readonly header?: Template | undefined;
  readonly query?: Template | undefined;
  /** What the server holds instead; without one the value is put into every call to the hosts. */
  readonly placeholder?: { readonly prefix: string; readonly value: string } | undefined;
  /** The variable of the server that holds it. */
  readonly env?: string | undefined;
}

export interface Fields {
  get(name: string): { reveal(): string } | undefined;
}

export interface CompiledCredential extends Pick<
  OutboundCredential,
  'name' | 'whenShared' | 'placeholder' | 'env'
> {
  readonly covers: (destination: Destination) => boolean;
  /** Throws EgressRefused for a field that is not there and for what no header may hold. */
  readonly render: (fields: Fields) => Rendered;
}

export interface Rendered {
  /** `name` is in lower case. */
  readonly header: { readonly name: string; readonly value: string } | undefined;
  /** Not encoded yet. */
  readonly query: { readonly name: string; readonly value: string } | undefined;
  /** What is secret of it, from the first field on: what stands for the placeholder inside of something else. */
  readonly bare: string;
}

/** RFC 9110, 5.5, without obs-text; a line break would end the header. */
const HEADER_VALUE = /^[\t\x20-\x7e]+$/;
const BASIC = /^basic /i;

/** The API refused what cannot be compiled; what gets here all the same covers nothing. */
export function compileCredential(credential: OutboundCredential): CompiledCredential {
  const { name, whenShared, placeholder, env } = credential;
  const header = compile(name, credential.header);
  const query = compile(name, credential.query);
  return {
    name,
    whenShared,
    placeholder,
    env,
    covers: coveredBy(header === undefined && query === undefined ? [] : credential.hosts),
    render: (fields) => {
      const inHeader = header?.(fields);
      const inQuery = query?.(fields);
      return {
        header: inHeader === undefined ? undefined : headerOf(name, inHeader),
        query: inQuery,
        bare: inHeader?.bare ?? inQuery?.bare ?? '',
      };
    },
  };
}

interface Filled {
  readonly name: string;
  readonly value: string;
  readonly bare: string;
}

function compile(
  credential: string,
  template: Template | undefined,
): ((fields: Fields) => Filled) | undefined {
  if (template === undefined) return undefined;
  const parts = parseTemplate(template.value);
  if ('problem' in parts) return undefined;
  const first = parts.findIndex((part) => 'field' in part);
  return (fields) => {
    const texts = parts.map((part) => ('text' in part ? part.text : fields.get(part.field)?.reveal()));
    if (texts.some((text) => text === undefined || text === ''))
      throw unavailable(credential, 'its source does not have the fields that it is put in by');
    return { name: template.name, value: texts.join(''), bare: texts.slice(first).join('') };
  };
}

/** What follows "Basic " is user and password, and encoded as RFC 7617 says. */
function headerOf(credential: string, { name, value }: Filled): { name: string; value: string } {
  const written = BASIC.test(value)
    ? `Basic ${Buffer.from(value.slice('basic '.length), 'utf8').toString('base64')}`
    : value;
  if (!HEADER_VALUE.test(written))
    throw unavailable(credential, 'its value holds characters that no HTTP header may hold');
  return { name: name.toLowerCase(), value: written };
}

function unavailable(credential: string, why: string): EgressRefused {
  return new EgressRefused(
    'credential_unavailable',
    `The credential "${credential}" of this gateway is not available: ${why}.`,
  );
}
