/** The header that carries a credential: its name, and its value as a template over the fields of the source. */
import { parseTemplate, type TemplatePart } from '../../crds/template.ts';
import { Secret } from '../../lib/secret.ts';
import { CredentialError } from './error.ts';

export interface HeaderTemplate {
  readonly name: string;
  /** Puts the fields in. Throws CredentialError for a field that is not there and for what no header may hold. */
  render(fields: ReadonlyMap<string, Secret>): Secret;
}

/** RFC 9110, 5.1. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110, 5.5, without obs-text; a line break would end the header. */
const HEADER_VALUE = /^[\t\x20-\x7e]+$/;

/** Headers that belong to the connection or to MCP itself (RFC 9110, 7.6.1; MCP Streamable HTTP). */
const RESERVED =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|keep-alive|proxy-.*|accept.*|mcp-.*|last-event-id|origin|expect)$/i;

/** Compiles `{ name: X-Api-Key, value: "{{ key }}" }`. `credential` names it in errors. Throws CredentialError. */
export function compileHeader(
  credential: string,
  header: { readonly name: string; readonly value: string },
): HeaderTemplate {
  checkName(credential, header.name);
  const parts = partsOf(credential, header.value);
  return {
    name: header.name,
    render: (fields) => {
      const value = parts.map((part) => ('text' in part ? part.text : lookUp(part.field, fields))).join('');
      if (HEADER_VALUE.test(value)) return new Secret(value);
      throw unavailable('its value holds characters that no HTTP header may hold');
    },
  };

  function lookUp(field: string, fields: ReadonlyMap<string, Secret>): string {
    const value = fields.get(field)?.reveal();
    if (value === undefined) throw unavailable(`its source has no field "${field}"`);
    if (value === '') throw unavailable(`the field "${field}" of its source is empty`);
    return value;
  }

  function unavailable(why: string): CredentialError {
    return new CredentialError(
      'credential_unavailable',
      `The credential "${credential}" of this gateway is not available: ${why}.`,
    );
  }
}

function checkName(credential: string, name: string): void {
  if (!TOKEN.test(name)) throw invalid(credential, 'the name of its header is not an HTTP header name');
  if (RESERVED.test(name)) {
    throw invalid(credential, `the header ${name} belongs to the connection or to MCP; use another`);
  }
}

function partsOf(credential: string, template: string): readonly TemplatePart[] {
  const parsed = parseTemplate(template);
  if ('problem' in parsed) throw invalid(credential, `the value of its header ${parsed.problem}`);
  return parsed;
}

function invalid(credential: string, why: string): CredentialError {
  return new CredentialError('credential_invalid', `The credential "${credential}" cannot be used: ${why}.`);
}
