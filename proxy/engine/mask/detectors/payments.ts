/** Payments and commerce. */
import type { BuiltinDetector } from './detector.ts';
import { alnum, anyHex, format, hex, lowerAlnum, url64, UUID } from './format.ts';

export const payments: readonly BuiltinDetector[] = [
  format({
    name: 'stripe-api-key',
    description: 'Stripe secret or restricted API key, and keys of services that took over its form',
    source: 'https://docs.stripe.com/keys',
    parts: [['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'], alnum(24, 247)],
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
    parts: [['EAAAE', 'EAAAl'], url64(59)],
  }),
  format({
    name: 'square-oauth-token',
    description: 'Square OAuth token and application secret, older form',
    source: 'https://developer.squareup.com/docs/oauth-api/overview',
    parts: [['sq0atp-', 'sq0csp-'], url64(22, 43)],
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
    source: 'https://shopify.dev/changelog/app-secret-key-length-has-increased',
    parts: [['shpat_', 'shpca_', 'shppa_', 'shpss_'], anyHex(32)],
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
    name: 'easypost-api-key',
    description: 'EasyPost production or test API key',
    source: 'https://docs.easypost.com/docs/authentication',
    parts: [['EZAK', 'EZTK'], alnum(54)],
  }),
  format({
    name: 'shippo-token',
    description: 'Shippo API token',
    source: 'https://docs.goshippo.com/docs/guides_general/authentication/',
    parts: [['shippo_live_', 'shippo_test_'], hex(40)],
  }),
  format({
    name: 'duffel-token',
    description: 'Duffel access token',
    source: 'https://duffel.com/docs/api/overview/making-requests/authentication',
    parts: [['duffel_live_', 'duffel_test_'], url64(43)],
  }),
];
