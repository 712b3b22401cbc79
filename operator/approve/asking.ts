/** What an installation says of how people are asked: a part of its settings. */
import { z } from 'zod';
import { isLoopback } from '../../crds/notification.ts';
import { consoleSettings, type ConsoleSettings } from '../console/settings.ts';
import { knownPerson, type KnownPerson } from './known-people.ts';
import { NO_CHANNELS, notifySettings, type NotifySettings } from './notify/index.ts';

export interface Asking {
  /** Where people and channels reach the admin listener, without a slash at its end. */
  readonly publicUrl: string | undefined;
  readonly notify: NotifySettings;
  /** Whose the accounts of Slack and Jira are. */
  readonly people: readonly KnownPerson[];
  readonly console: ConsoleSettings | undefined;
}

export const NOBODY_ASKED: Asking = {
  publicUrl: undefined,
  notify: NO_CHANNELS,
  people: [],
  console: undefined,
};

/** Members of the settings, beside those that are of something else. */
export const askingMembers = {
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .refine(
      (text) => new URL(text).pathname === '/' && !/[?#]/.test(text),
      'must be an address without a path',
    )
    .refine((text) => text.startsWith('https:') || isLoopback(new URL(text)), 'must be https')
    .transform((text) => text.replace(/\/$/, ''))
    .optional(),
  notify: notifySettings.prefault({}),
  console: consoleSettings.optional(),
};

export const knownPeople = z.array(knownPerson).max(10_000).default([]);

/** Where a request is decided by whoever signs in; undefined without a console. */
export function linkTo(id: string, { console, publicUrl }: Asking): string | undefined {
  return console === undefined || publicUrl === undefined
    ? undefined
    : `${publicUrl}/console/approvals/${id}`;
}
