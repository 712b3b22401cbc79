import { expect, test } from 'vitest';
import { environmentFor } from './egress-environment.ts';

const given = {
  proxyUrl: 'http://child:secret@127.0.0.1:15001',
  trustDirectory: '/trust',
  noProxy: ['localhost', '127.0.0.1', '::1'],
  placeholders: { GITHUB_TOKEN: 'ghp_0' },
};

test('clients find the proxy in either case, and what trusts the CA alone adds to what Node trusts', () => {
  const environment = environmentFor(given);
  expect(environment['https_proxy']).toBe(environment['HTTPS_PROXY']);
  expect(environment['http_proxy']).toBe('http://child:secret@127.0.0.1:15001');
  expect(environment['NO_PROXY']).toBe('localhost,127.0.0.1,::1');
  expect(environment['NODE_EXTRA_CA_CERTS']).toBe('/trust/ca.pem');
  expect(environment['GITHUB_TOKEN']).toBe('ghp_0');
});

test('what replaces trust gets the roots of the system too', () => {
  const environment = environmentFor(given);
  for (const name of [
    'SSL_CERT_FILE',
    'REQUESTS_CA_BUNDLE',
    'CURL_CA_BUNDLE',
    'GIT_SSL_CAINFO',
    'AWS_CA_BUNDLE',
  ])
    expect(environment[name]).toBe('/trust/ca-and-roots.pem');
});

test('options for Java stand behind those that were there', () => {
  const { JAVA_TOOL_OPTIONS: options = '' } = environmentFor({ ...given, javaToolOptions: '-Xmx1g' });
  expect(options.split(' ')).toEqual(
    expect.arrayContaining(['-Xmx1g', '-Dhttps.proxyHost=127.0.0.1', '-Dhttps.proxyPort=15001']),
  );
  expect(options).not.toContain('secret');
});
