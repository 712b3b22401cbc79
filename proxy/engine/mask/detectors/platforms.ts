/** Where applications are deployed to. */
import type { BuiltinDetector } from './detector.ts';
import { alnum, base64, format, GITLEAKS, url64, UUID } from './format.ts';

export const platforms: readonly BuiltinDetector[] = [
  format({
    name: 'flyio-token',
    description: 'Fly.io access token (macaroon), one or several',
    source: 'https://fly.io/docs/security/tokens/',
    parts: [['fm1r_', 'fm1a_', 'fm2_', 'FlyV1 '], { ...base64(100, 2048), charset: '[A-Za-z0-9+/=,_-]' }],
  }),
  format({
    name: 'flyio-personal-token',
    description: 'Fly.io access token of the older kind',
    source: 'https://fly.io/docs/security/tokens/',
    parts: ['fo1_', url64(43)],
  }),
  format({
    name: 'heroku-token',
    description: 'Heroku API key',
    source: 'https://devcenter.heroku.com/articles/authentication',
    parts: ['HRKU-', url64(60)],
  }),
  format({
    name: 'heroku-api-key',
    description: 'Heroku API key, older form',
    source: 'https://devcenter.heroku.com/articles/platform-api-quickstart',
    parts: ['HRKU-', ...UUID],
  }),
  format({
    name: 'netlify-token',
    description: 'Netlify access token',
    source: 'https://docs.netlify.com/api/get-started/',
    parts: ['nfp_', alnum(36, 48)],
  }),
  format({
    name: 'vercel-blob-token',
    description: 'Vercel Blob read-write token',
    source: 'https://vercel.com/docs/vercel-blob/using-blob-sdk',
    parts: ['vercel_blob_rw_', alnum(8, 32), '_', alnum(16, 64)],
  }),
  format({
    name: 'vercel-token',
    description: 'Vercel personal, integration, app access and app refresh tokens',
    source: 'https://vercel.com/changelog/new-token-formats-and-secret-scanning',
    parts: [['vcp_', 'vci_', 'vca_', 'vcr_'], url64(56)],
  }),
  format({
    name: 'scalingo-token',
    description: 'Scalingo API token',
    source: GITLEAKS,
    parts: ['tk-us-', url64(48)],
  }),
  format({
    name: 'render-api-key',
    description: 'Render API key',
    source: 'https://render.com/docs/api',
    parts: ['rnd_', alnum(28, 40)],
  }),
];
