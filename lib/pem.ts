/** Certificates as people keep them: several in one text, with remarks between them. */
import { X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** What looks like certificates in a text, PEM, one each. */
export function certificatesIn(text: string): string[] {
  return text.match(CERTIFICATE) ?? [];
}

/** Whether a text holds certificates, each of which can be read. */
export function areCertificates(text: string): boolean {
  const found = certificatesIn(text);
  return found.length > 0 && found.every(isReadable);
}

function isReadable(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
