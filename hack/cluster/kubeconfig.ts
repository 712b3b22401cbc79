/** Kubeconfig files, with everything they need inside. */
import { stringify } from 'yaml';
import type { KeyAndCertificate } from './certificates.ts';

export function kubeconfigOf(server: string, authority: string, user: KeyAndCertificate): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'gatehouse', cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [
      {
        name: 'gatehouse',
        user: { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) },
      },
    ],
    contexts: [{ name: 'gatehouse', context: { cluster: 'gatehouse', user: 'gatehouse' } }],
    'current-context': 'gatehouse',
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
