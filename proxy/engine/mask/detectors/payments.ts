/** Payments and commerce. */
import type { BuiltinDetector } from './detector.ts';
import { looksRandom } from './entropy.ts';
import { alnum, anyHex, BETTERLEAKS, format, GITLEAKS, hex, lowerAlnum, url64, UUID } from './format.ts';

export const payments: readonly BuiltinDetector[] = [
  format({
    name: 'stripe-api-key',
    description: 'Stripe secret or restricted API key, and keys of services that took over its form',
    source: 'https://docs.stripe.com/keys',
    parts: [['sk_live_', 'sk_test_', 'sk_prod_', 'rk_live_', 'rk_test_', 'rk_prod_'], alnum(16, 247)],
  }),
  format({
    name: 'stripe-webhook-secret',
    description: 'Signing secret of webhooks of Stripe, Svix and others',
    source: 'https://docs.stripe.com/webhooks/signature',
    parts: ['whsec_', { ...alnum(32, 80), charset: '[A-Za-z0-9+/]' }],
  }),
  format({
    name: 'square-access-token',
    description: 'Square access token',
    source: 'https://developer.squareup.com/docs/build-basics/access-tokens',
    parts: ['EAAA', url64(60)],
  }),
  format({
    name: 'square-oauth-token',
    description: 'Square OAuth token and application secret, older form',
    source: 'https://developer.squareup.com/docs/oauth-api/overview',
    parts: [['sq0atp-', 'sq0csp-'], url64(22, 60)],
  }),
  format({
    name: 'braintree-access-token',
    description: 'Braintree access token',
    source: 'https://developer.paypal.com/braintree/docs/guides/authorization/overview',
    parts: [['access_token$production$', 'access_token$sandbox$'], lowerAlnum(16), '$', hex(32)],
  }),
  format({
    name: 'shopify-token',
    description: 'Shopify access tokens and shared secret of an app',
    source: 'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens',
    parts: [['shpat_', 'shpca_', 'shppa_', 'shpss_', 'shptka_'], anyHex(32)],
  }),
  format({
    name: 'razorpay-key-id',
    description: 'Razorpay key id',
    source: 'https://razorpay.com/docs/payments/dashboard/account-settings/api-keys/',
    parts: [['rzp_live_', 'rzp_test_'], alnum(14)],
  }),
  format({
    name: 'plaid-access-token',
    description: 'Plaid access token',
    source: 'https://plaid.com/docs/quickstart/glossary/#access-token',
    parts: [['access-sandbox-', 'access-development-', 'access-production-'], ...UUID],
  }),
  format({
    name: 'paddle-api-key',
    description: 'Paddle Billing API key',
    source: 'https://developer.paddle.com/api-reference/about/api-keys',
    parts: [['pdl_live_apikey_', 'pdl_sdbx_apikey_'], lowerAlnum(26), '_', alnum(22), '_', alnum(3)],
  }),
  format({
    name: 'flutterwave-secret-key',
    description: 'Flutterwave secret key',
    source: 'https://developer.flutterwave.com/docs/authentication',
    parts: [['FLWSECK-', 'FLWSECK_TEST-'], lowerAlnum(32), '-X'],
  }),
  format({
    name: 'flutterwave-encryption-key',
    description: 'Flutterwave encryption key',
    source: GITLEAKS,
    parts: [['FLWSECK_TEST', 'FLWSECK_TEST-'], lowerAlnum(12)],
  }),
  format({
    name: 'asaas-api-key',
    description: 'Asaas API key',
    source: 'https://docs.asaas.com/docs/authentication-1',
    parts: [['$aact_prod_', '$aact_hmlg_'], { ...url64(20, 300), charset: '[A-Za-z0-9_:=-]' }],
  }),
  format({
    name: 'mercury-api-token',
    description: 'Mercury banking API token',
    source: BETTERLEAKS,
    parts: [['mercury_production_', 'mercury_sandbox_'], lowerAlnum(2, 6), '_', alnum(40, 50), '_yrucrem'],
  }),
  format({
    name: 'polar-token',
    description: 'Polar organization, personal and OAuth access tokens',
    source: 'https://polar.sh/docs/integrate/oat',
    parts: [['polar_oat_', 'polar_pat_', 'polar_at_'], url64(20, 100)],
    valid: looksRandom,
  }),
  format({
    name: 'ramp-client-secret',
    description: 'Ramp client secret',
    source: BETTERLEAKS,
    parts: ['ramp_sec_', alnum(48)],
  }),
  format({
    name: 'xendit-api-key',
    description: 'Xendit secret API key',
    source: 'https://docs.xendit.co/docs/api-keys',
    parts: [['xnd_production_', 'xnd_development_'], alnum(56, 72)],
  }),
  format({
    name: 'onfido-api-token',
    description: 'Onfido API token',
    source: 'https://documentation.onfido.com/api/latest/#api-tokens',
    parts: [['api_live', 'api_sandbox'], ['.', '_us.', '_ca.'], url64(20, 80)],
    valid: looksRandom,
  }),
  format({
    name: 'easypost-api-key',
    description: 'EasyPost production or test API key',
    source: 'https://docs.easypost.com/docs/authentication',
    parts: [['EZAK', 'EZTK'], alnum(54)],
  }),
  format({
    name: 'shippo-token',
    description: 'Shippo API token',
    source: 'https://docs.goshippo.com/docs/guides_general/authentication/',
    parts: [['shippo_live_', 'shippo_test_'], anyHex(40)],
  }),
  format({
    name: 'duffel-token',
    description: 'Duffel access token',
    source: 'https://duffel.com/docs/api/overview/making-requests/authentication',
    parts: [['duffel_live_', 'duffel_test_'], { ...url64(43), charset: '[A-Za-z0-9_=-]' }],
  }),
];
