/** The header that carries a credential: its name, and its value as a template over the fields of the source. */
import { RESERVED_HEADERS } from '../../crds/reserved-headers.ts';
import { parseTemplate } from '../../crds/template.ts';
import { Secret } from '../../lib/secret.ts';
import { CredentialError } from './error.ts';
import { compileTemplate, unavailable } from './template.ts';

export interface HeaderTemplate {
  readonly name: string;
  /** Puts the fields in. Throws CredentialError for a field that is not there and for what no header may hold. */
  render(fields: ReadonlyMap<string, Secret>): Secret;
}

/** RFC 9110, 5.1. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110, 5.5, without obs-text; a line break would end the header. */
const HEADER_VALUE = /^[\t\x20-\x7e]+$/;

/** Compiles `{ name: X-Api-Key, value: "{{ key }}" }`. `credential` names it in errors. Throws CredentialError. */
export function compileHeader(
  credential: string,
  header: { readonly name: string; readonly value: string },
): HeaderTemplate {
  checkName(credential, header.name);
  const text = compileTemplate(credential, 'its header', parseTemplate(header.value));
  return {
    name: header.name,
    render: (fields) => {
      const value = text(fields);
      if (HEADER_VALUE.test(value)) return new Secret(value);
      throw unavailable(credential, 'its value holds characters that no HTTP header may hold');
    },
  };
}

function checkName(credential: string, name: string): void {
  if (!TOKEN.test(name)) throw invalid(credential, 'the name of its header is not an HTTP header name');
  if (RESERVED_HEADERS.test(name)) {
    throw invalid(credential, `the header ${name} belongs to the connection or to MCP; use another`);
  }
}

function invalid(credential: string, why: string): CredentialError {
  return new CredentialError('credential_invalid', `The credential "${credential}" cannot be used: ${why}.`);
}
