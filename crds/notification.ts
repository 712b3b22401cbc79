/** Who is asked when a call is held, and where: one entry of `notify`. */
import { z } from 'zod';
import { httpUrl } from './gateway-server.ts';
import { exactlyOne, line, objectName, type OneOf } from './shapes.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Whether the host of a URL is this machine, whatever names the network gives it. */
export function isLoopback(url: URL): boolean {
  return LOOPBACK.includes(url.hostname);
}

function isGuarded(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || isLoopback(url));
}

const members = {
  slack: z.strictObject({
    channel: line(128).describe('Name or id of a channel that the app was invited to.'),
  }),
  jira: z.strictObject({ project: line(64).describe('Key of the project.') }),
  webhook: z.strictObject({
    url: httpUrl
      .refine(isGuarded, 'must be https, or http to this machine itself')
      .describe('https; its host is one that the installation allows.'),
    secretRef: z
      .strictObject({ name: objectName, key: line(253) })
      .describe('The secret that signs, in the namespace of the rule.'),
  }),
};

export const notification = exactlyOne(members);

export type Notification = OneOf<typeof members>;
export type NotificationKind = keyof typeof members;
