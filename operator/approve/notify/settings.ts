/** What the installation says of its channels. Secrets are named by file and are not part of it. */
import { z } from 'zod';

const file = z.string().min(1).max(4096);
const address = z
  .url({ protocol: /^https?$/ })
  .refine((text) => text.startsWith('https:') || isThisMachine(text), 'must be https')
  .transform((text) => text.replace(/\/+$/, ''));

const slack = z.strictObject({
  /** Of the app's bot: chat:write, users:read, users:read.email. */
  tokenFile: file,
  /** By which buttons are believed; without it messages have none. */
  signingSecretFile: file.optional(),
  apiUrl: address.default('https://slack.com/api'),
});

const statusNames = z.array(z.string().min(1).max(256)).min(1).max(16);

const jira = z.strictObject({
  url: address,
  /** Of the account that the API token belongs to. */
  email: z.string().min(3).max(320),
  tokenFile: file,
  /** By which webhooks are believed; without it issues are only looked at every so often. */
  webhookSecretFile: file.optional(),
  issueType: z.string().min(1).max(256).default('Task'),
  approved: statusNames.default(['Approved']),
  denied: statusNames.default(['Denied', 'Declined', 'Rejected']),
});

const webhook = z.strictObject({
  /** Hosts that rules may name; `*.` stands for one label or more in front. */
  allow: z
    .array(
      z
        .string()
        .regex(/^(\*\.)?[a-z0-9.-]+(:[0-9]{1,5})?$/, 'must be a host name, such as hooks.example.com'),
    )
    .max(64)
    .default([]),
});

export const notifySettings = z.strictObject({
  slack: slack.optional(),
  jira: jira.optional(),
  webhook: webhook.prefault({}),
});

export type NotifySettings = z.output<typeof notifySettings>;
export type SlackSettings = z.output<typeof slack>;
export type JiraSettings = z.output<typeof jira>;
export type WebhookSettings = z.output<typeof webhook>;

export const NO_CHANNELS: NotifySettings = notifySettings.parse({});

function isThisMachine(text: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(URL.parse(text)?.hostname ?? '');
}
