import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../lib/secret.ts';
import { compileHeader } from './header.ts';

function render(template: string, fields: Record<string, string>): string {
  const secrets = new Map(Object.entries(fields).map(([field, value]) => [field, new Secret(value)]));
  return compileHeader('backend', { name: 'X-Api-Key', value: template }).render(secrets).reveal();
}

const visible = fc.stringMatching(/^[!-~]{1,40}$/);
const plain = visible.filter((text) => !/[{}]/.test(text));

describe('compileHeader', () => {
  it('puts fields in where they are named', () => {
    expect(render('Bearer {{ token }}', { token: 't1' })).toBe('Bearer t1');
    expect(render('{{user}}:{{ key }}', { user: 'u', key: 'k', other: 'x' })).toBe('u:k');
  });

  it('puts values in as they are, whatever they hold', () => {
    fc.assert(
      fc.property(plain, visible, plain, (before, value, after) => {
        expect(render(`${before}{{ v }}${after}`, { v: value })).toBe(before + value + after);
      }),
    );
  });

  it('does not read a template into a value', () => {
    expect(render('{{ a }}', { a: '{{ b }}', b: 'secret' })).toBe('{{ b }}');
  });

  it('refuses every value with a character that could end or bend the header', () => {
    fc.assert(
      fc.property(
        visible,
        fc.constantFrom('\r', '\n', '\0', '\x7f', 'é', '\u2028', '\ud800'),
        (value, bad) => {
          expect(() => render('{{ v }}', { v: value + bad })).toThrow(
            /characters that no HTTP header may hold/,
          );
        },
      ),
    );
  });

  it('names a missing field and the credential, and no value', () => {
    expect(() => render('{{ key }}', { token: 'hunter2' })).toThrow(
      'The credential "backend" of this gateway is not available: its source has no field "key".',
    );
    expect(() => render('{{ key }}', { key: '' })).toThrow('the field "key" of its source is empty');
    expect(() => render('{{ key }}', { key: 'hunter2\r\n' })).not.toThrow(/hunter2/);
  });

  it('does not find fields that every object has', () => {
    expect(() => render('{{ constructor }}', {})).toThrow('has no field "constructor"');
  });

  it.each([
    'Host',
    'content-length',
    'Connection',
    'Transfer-Encoding',
    'Mcp-Session-Id',
    'mcp-method',
    'TE',
  ])('does not set %s', (name) => {
    expect(() => compileHeader('backend', { name, value: '{{ key }}' })).toThrow(
      `the header ${name} belongs to`,
    );
  });

  it.each(['X Api', 'X:', '', 'X\r\nHost'])('does not take %j for the name of a header', (name) => {
    expect(() => compileHeader('backend', { name, value: '{{ key }}' })).toThrow(
      'is not an HTTP header name',
    );
  });

  it.each(['{{ key', '{{}}', '{{ a b }}', 'fixed'])('does not take %j for a template', (value) => {
    expect(() => compileHeader('backend', { name: 'X-Key', value })).toThrow(
      /The credential "backend" cannot be used/,
    );
  });
});
