/** Chat, mail and telephony. */
import { ALPHANUMERIC, filler, type BuiltinDetector } from './detector.ts';
import { alnum, anyHex, base64, digits, format, hex, lowerAlnum, lowerBase32, url64 } from './format.ts';

export const communication: readonly BuiltinDetector[] = [
  format({
    name: 'slack-token',
    description: 'Slack bot, user, refresh, configuration and legacy workspace tokens',
    source: 'https://docs.slack.dev/authentication/tokens/',
    parts: [
      [
        'xoxb-',
        'xoxp-',
        'xoxa-',
        'xoxr-',
        'xoxs-',
        'xoxo-',
        'xoxe-',
        'xoxe.xoxb-',
        'xoxe.xoxp-',
        'xoxc-',
        'xoxd-',
      ],
      { ...url64(20, 400), charset: '[A-Za-z0-9%-]' },
    ],
  }),
  format({
    name: 'slack-app-token',
    description: 'Slack app-level token',
    source: 'https://docs.slack.dev/authentication/tokens/#app-level',
    parts: ['xapp-', digits(1, 10), '-', alnum(8, 16), '-', digits(8, 16), '-', alnum(32, 80)],
  }),
  format({
    name: 'slack-webhook',
    description: 'Slack incoming webhook, workflow or trigger URL',
    source: 'https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/',
    parts: ['hooks.slack.com/', ['services/', 'workflows/', 'triggers/'], base64(30, 80)],
  }),
  format({
    name: 'discord-webhook',
    description: 'Discord webhook URL',
    source: 'https://discord.com/developers/docs/resources/webhook',
    parts: [
      ['discord.com/api/webhooks/', 'discordapp.com/api/webhooks/'],
      digits(17, 20),
      '/',
      url64(60, 80),
    ],
  }),
  format({
    name: 'telegram-bot-token',
    description: 'Telegram bot token',
    source: 'https://core.telegram.org/bots/features#botfather',
    parts: [digits(8, 10), ':AA', url64(33)],
  }),
  {
    cue: 'literal',
    name: 'teams-webhook',
    description: 'Microsoft Teams incoming webhook URL',
    source:
      'https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook',
    literals: ['.webhook.office.com/'],
    before: 'https://[a-z0-9-]{1,63}',
    pattern: String.raw`\.webhook\.office\.com/webhookb2/[a-z0-9@-]{30,100}/IncomingWebhook/[a-z0-9]{32}/[A-Za-z0-9/-]{30,100}`,
    tries: 330,
    examples: () => {
      const uuid = '01234567-89ab-cdef-0123-456789abcdef';
      const url = `https://example.webhook.office.com/webhookb2/${uuid}@${uuid}/IncomingWebhook/${filler('0123456789abcdef', 32)}/${uuid}`;
      return {
        positive: [url],
        negative: ['https://example.webhook.office.com/', url.replace('IncomingWebhook', 'x')],
      };
    },
  },
  {
    cue: 'literal',
    name: 'google-chat-webhook',
    description: 'Google Chat incoming webhook URL',
    source: 'https://developers.google.com/workspace/chat/quickstart/webhooks',
    literals: ['chat.googleapis.com/v1/spaces/'],
    before: 'https://',
    pattern: String.raw`chat\.googleapis\.com/v1/spaces/[A-Za-z0-9_-]{1,64}/messages\?key=[A-Za-z0-9_-]{1,128}&token=[A-Za-z0-9_%-]{20,}`,
    tries: 300,
    examples: () => {
      const url = `https://chat.googleapis.com/v1/spaces/AAAA/messages?key=${filler(ALPHANUMERIC, 39)}&token=${filler(ALPHANUMERIC, 43)}`;
      return {
        positive: [url],
        negative: ['https://chat.googleapis.com/v1/spaces/AAAA/messages', url.slice(0, 90)],
      };
    },
  },
  format({
    name: 'intercom-token',
    description: 'Intercom access token, which is base64 that begins with tok:',
    source: 'https://developers.intercom.com/docs/build-an-integration/learn-more/authentication',
    parts: ['dG9rO', { ...base64(55, 80), charset: '[A-Za-z0-9+/=]' }],
  }),
  format({
    name: 'zapier-webhook',
    description: 'Zapier catch hook URL',
    source: 'https://help.zapier.com/hc/en-us/articles/8496288690317-Trigger-Zaps-from-webhooks',
    parts: ['https://hooks.zapier.com/hooks/catch/', digits(4, 12), '/', lowerAlnum(6, 20)],
  }),
  format({
    name: 'sendgrid-api-key',
    description: 'SendGrid API key',
    source: 'https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys',
    parts: ['SG.', url64(22), '.', url64(43)],
  }),
  format({
    name: 'mailgun-api-key',
    description: 'Mailgun private API key',
    source: 'https://documentation.mailgun.com/docs/mailgun/user-manual/api-key-mgmt/',
    parts: ['key-', hex(32)],
  }),
  format({
    name: 'mailchimp-api-key',
    description: 'Mailchimp API key with its data center',
    source: 'https://mailchimp.com/developer/marketing/guides/quick-start/',
    parts: [hex(32), '-us', digits(1, 2)],
    examples: () => {
      const key = `${filler('0123456789abcdef', 32)}-us6`;
      return {
        positive: [key, `${key}1`],
        negative: [key.slice(0, -1), key.slice(1), `${key}11`, key.replace('us', 'eu')],
      };
    },
  }),
  format({
    name: 'mandrill-api-key',
    description: 'Mailchimp Transactional (Mandrill) API key',
    source: 'https://mailchimp.com/developer/transactional/guides/quick-start/',
    parts: ['md-', url64(22)],
  }),
  format({
    name: 'brevo-api-key',
    description: 'Brevo (Sendinblue) API and SMTP keys',
    source: 'https://developers.brevo.com/docs/getting-started',
    parts: [['xkeysib-', 'xsmtpsib-'], anyHex(64), '-', alnum(16)],
  }),
  format({
    name: 'resend-api-key',
    description: 'Resend API key',
    source: 'https://resend.com/docs/dashboard/api-keys/introduction',
    parts: ['re_', alnum(8), '_', alnum(24)],
  }),
  format({
    name: 'mailersend-token',
    description: 'MailerSend API token',
    source: 'https://developers.mailersend.com/general.html#authentication',
    parts: ['mlsn.', alnum(30, 100)],
  }),
  format({
    name: 'twilio-api-key',
    description: 'Twilio API key SID',
    source: 'https://www.twilio.com/docs/iam/api-keys',
    parts: ['SK', anyHex(32)],
  }),
  format({
    name: 'klaviyo-api-key',
    description: 'Klaviyo private API key',
    source: 'https://developers.klaviyo.com/en/docs/retrieve_api_credentials',
    parts: ['pk_', lowerAlnum(34)],
  }),
  format({
    name: 'onesignal-key',
    description: 'OneSignal app or organization API key',
    source: 'https://documentation.onesignal.com/docs/en/keys-and-ids',
    parts: [['os_v2_app_', 'os_v2_org_'], lowerBase32(103)],
  }),
  format({
    name: 'nylas-api-key',
    description: 'Nylas API key',
    source: 'https://developer.nylas.com/docs/v3/auth/',
    parts: ['nyk_', alnum(67)],
  }),
];
