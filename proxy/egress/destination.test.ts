import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isForbiddenAddress, isLoopback } from './addresses.ts';
import { coveredBy, formatDestination, normalHost, parseDestination } from './destination.ts';

test('a host is written in one way', () => {
  expect(normalHost('API.Example.test.')).toBe('api.example.test');
  expect(normalHost('[FD00:0:0::1]')).toBe('fd00::1');
  expect(normalHost('10.0.0.1')).toBe('10.0.0.1');
});

test('what some resolver would read as an address, and what is no name, is neither', () => {
  for (const text of [
    '',
    '.',
    'a..b',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '[::1',
    '::g',
    'a b',
    'a/b',
    'ä.test',
    'a@b',
    '-.',
  ])
    expect([text, normalHost(text)]).toEqual([text, undefined]);
});

test('a port is one of TCP', () => {
  expect(parseDestination('a.test', 443)).toEqual({ host: 'a.test', port: 443 });
  expect(parseDestination('a.test:8443', 443)).toEqual({ host: 'a.test', port: 8443 });
  expect(parseDestination('[::1]:80', 443)).toEqual({ host: '::1', port: 80 });
  for (const text of ['a.test:0', 'a.test:65536', 'a.test:', 'a.test:x', ':80', 'a.test:80:80'])
    expect([text, parseDestination(text, 443)]).toEqual([text, undefined]);
});

test('what is read is written so that it is read the same', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
      fc.integer({ min: 1, max: 65_535 }),
      (host, port) => {
        const read = parseDestination(`${host.includes(':') ? `[${host}]` : host}:${port}`, 1);
        if (read !== undefined) expect(parseDestination(formatDestination(read), 1)).toEqual(read);
      },
    ),
  );
});

test('a star stands for names below a suffix, at its port', () => {
  const covers = coveredBy([
    { host: '*.b.test', port: 443 },
    { host: 'c.test', port: 80 },
  ]);
  const answers = [
    'a.b.test:443',
    'x.a.b.test:443',
    'b.test:443',
    'ab.test:443',
    'a.b.test:80',
    'c.test:80',
    'd.c.test:80',
  ]
    .map((text) => parseDestination(text, 1))
    .map((destination) => destination !== undefined && covers(destination));
  expect(answers).toEqual([true, true, false, false, false, true, false]);
});

test('addresses that stand for another are judged as that', () => {
  for (const address of [
    '127.0.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '::',
    '0.0.0.0',
    '169.254.169.254',
    '::ffff:a9fe:a9fe',
    'fe80::1',
    'fd00:ec2::254',
    '224.0.0.1',
    '255.255.255.255',
  ])
    expect([address, isForbiddenAddress(address)]).toEqual([address, true]);
  for (const address of ['10.0.0.1', '192.168.1.1', '8.8.8.8', 'fd00::1', '2001:db8::1', '::ffff:a00:1'])
    expect([address, isForbiddenAddress(address)]).toEqual([address, false]);
  expect([isLoopback('::ffff:127.0.0.1'), isLoopback('10.0.0.1')]).toEqual([true, false]);
});
