/** What the chart makes of its values for approvers, rendered by helm and read by the operator. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import { helm, missingSentence } from '../../hack/tools/parts.ts';
import { run } from '../../hack/tools/run.ts';
import { readSettings, type Settings } from '../../operator/cluster/settings.ts';

const CHART = join(import.meta.dirname, '../../charts/gatehouse');
const why = missingSentence([helm]);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-chart-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function render(values: object): Promise<string> {
  const file = join(directory, 'values.yaml');
  await writeFile(file, stringify({ network: { resolvers: ['10.96.0.10'] }, ...values }));
  const args = [
    'template',
    'gatehouse',
    CHART,
    '--namespace=gatehouse-system',
    '--kube-version=1.34.0',
    `--values=${file}`,
  ];
  return run(helm.file('helm'), args, { env: { HELM_CACHE_HOME: directory, HELM_CONFIG_HOME: directory } });
}

const configMap = z.object({
  kind: z.literal('ConfigMap'),
  metadata: z.object({ name: z.literal('gatehouse-settings') }),
  data: z.object({ 'settings.yaml': z.string() }),
});

async function settingsIn(rendered: string): Promise<Settings> {
  const maps = parseAllDocuments(rendered).map((document) => configMap.safeParse(document.toJS()));
  const text = maps.find(({ success }) => success)?.data?.data['settings.yaml'] ?? '';
  const file = join(directory, 'settings.yaml');
  await writeFile(file, text);
  return readSettings(file);
}

describe.skipIf(why !== undefined)(
  `the chart's values for approvers${why === undefined ? '' : ` (${why})`}`,
  () => {
    test('say nothing by default: no channel, no console, and no Secret is mounted', async () => {
      const rendered = await render({});
      const { asking } = await settingsIn(rendered);
      expect(asking.notify).toEqual({ webhook: { allow: [] } });
      expect([asking.console, asking.publicUrl, asking.people]).toEqual([undefined, undefined, []]);
      expect(rendered).not.toContain('gatehouse-notify');
    });

    test('become the settings that the operator reads, with its secrets as files', async () => {
      const person = {
        email: 'bo@acme.example',
        issuer: 'https://login.example',
        subject: '1',
        username: 'bo',
      };
      const rendered = await render({
        publicUrl: 'https://gatehouse.example',
        approvers: { people: [{ ...person, groups: ['dba'] }] },
        notify: {
          secretName: 'gatehouse-channels',
          slack: { enabled: true },
          jira: {
            enabled: true,
            url: 'https://acme.atlassian.net',
            email: 'gatehouse@acme.example',
            webhook: true,
          },
          webhook: { allow: ['*.corp.example'] },
        },
        console: {
          enabled: true,
          issuer: 'https://login.example',
          clientId: 'gatehouse',
          confidential: true,
        },
      });
      const at = (name: string): string => `/etc/gatehouse-notify/${name}`;
      expect((await settingsIn(rendered)).asking).toEqual({
        publicUrl: 'https://gatehouse.example',
        people: [{ ...person, groups: ['dba'] }],
        notify: {
          slack: {
            apiUrl: 'https://slack.com/api',
            ...{ tokenFile: at('slack-token'), signingSecretFile: at('slack-signing-secret') },
          },
          jira: {
            ...{ url: 'https://acme.atlassian.net', email: 'gatehouse@acme.example', issueType: 'Task' },
            ...{ approved: ['Approved'], denied: ['Denied', 'Declined', 'Rejected'] },
            ...{ tokenFile: at('jira-token'), webhookSecretFile: at('jira-webhook-secret') },
          },
          webhook: { allow: ['*.corp.example'] },
        },
        console: {
          ...{ issuer: 'https://login.example', clientId: 'gatehouse' },
          ...{ scopes: ['openid', 'profile', 'email'], clientSecretFile: at('console-client-secret') },
        },
      });
      expect(rendered).toContain('mountPath: /etc/gatehouse-notify');
      expect(rendered).toContain('secretName: gatehouse-channels');
    });

    test.each([
      [{ publicUrl: 'http://gatehouse.example' }, /publicUrl/],
      [{ notify: { jira: { enabled: true } } }, /jira/],
      [{ console: { enabled: true } }, /console/],
      [{ notify: { webhook: { allow: ['https://hooks.example'] } } }, /allow/],
      [{ approvers: { people: [{ email: 'a@acme.example' }] } }, /people/],
    ])('that cannot be are refused: %j', async (values, place) => {
      await expect(render(values)).rejects.toThrow(place);
    });
  },
);
