/** The header that carries a credential: its name, and its value as a template over the fields of the source. */
import { CredentialError } from './error.ts';
import { Secret } from '../../lib/secret.ts';

export interface HeaderTemplate {
  readonly name: string;
  /** Puts the fields in. Throws CredentialError for a field that is not there and for what no header may hold. */
  render(fields: ReadonlyMap<string, Secret>): Secret;
}

type Piece = { readonly text: string } | { readonly field: string };

/** RFC 9110, 5.1. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD = /^[A-Za-z0-9_.-]+$/;
/** RFC 9110, 5.5, without obs-text; a line break would end the header. */
const HEADER_VALUE = /^[\t\x20-\x7e]+$/;

/** Headers that belong to the connection or to MCP itself (RFC 9110, 7.6.1; MCP Streamable HTTP). */
const RESERVED = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'last-event-id',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Compiles `{ name: X-Api-Key, value: "{{ key }}" }`. `credential` names it in errors. Throws CredentialError. */
export function compileHeader(
  credential: string,
  header: { readonly name: string; readonly value: string },
): HeaderTemplate {
  checkName(credential, header.name);
  const pieces = parseTemplate(credential, header.value);
  return {
    name: header.name,
    render: (fields) => {
      const value = pieces
        .map((piece) => ('text' in piece ? piece.text : lookUp(piece.field, fields)))
        .join('');
      if (!HEADER_VALUE.test(value))
        throw unavailable('its value holds characters that no HTTP header may hold');
      return new Secret(value);
    },
  };

  function lookUp(field: string, fields: ReadonlyMap<string, Secret>): string {
    const secret = fields.get(field);
    if (secret === undefined) throw unavailable(`its source has no field "${field}"`);
    return secret.reveal();
  }

  function unavailable(why: string): CredentialError {
    return new CredentialError(
      'credential_unavailable',
      `The credential "${credential}" of this gateway is not available: ${why}.`,
    );
  }
}

function checkName(credential: string, name: string): void {
  const lower = name.toLowerCase();
  if (!TOKEN.test(name)) throw invalid(credential, 'the name of its header is not an HTTP header name');
  if (RESERVED.has(lower) || lower.startsWith('mcp-')) {
    throw invalid(credential, `the header ${name} belongs to the connection or to MCP; use another`);
  }
}

function parseTemplate(credential: string, template: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (let open = template.indexOf('{{'); open >= 0; open = template.indexOf('{{', at)) {
    const close = template.indexOf('}}', open);
    if (close < 0) throw invalid(credential, 'its header value has a "{{" without "}}"');
    const field = template.slice(open + 2, close).trim();
    if (!FIELD.test(field))
      throw invalid(credential, 'its header value has a "{{ }}" without the name of a field');
    pieces.push({ text: template.slice(at, open) }, { field });
    at = close + 2;
  }
  pieces.push({ text: template.slice(at) });
  return pieces;
}

function invalid(credential: string, why: string): CredentialError {
  return new CredentialError('credential_invalid', `The credential "${credential}" cannot be used: ${why}.`);
}
