/** Webhooks as standardwebhooks.com specifies them: the receiver knows a repeat by its id, and the sender by its key. */
import { createHmac } from 'node:crypto';
import { isLoopback } from '../../../crds/notification.ts';
import type { Secret } from '../../../lib/secret.ts';
import { gatewayOf, type ApprovalRequest } from '../object.ts';
import { DeliveryError, type Channel, type Notice, type WebhookTarget } from './channel.ts';
import { ask, refused, type Fetch } from './http.ts';
import type { WebhookSettings } from './settings.ts';

export interface WebhookDeps {
  readonly fetch: Fetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The secret that a rule of this namespace names. Rejects with DeliveryError. */
  readonly secretOf: (namespace: string, ref: WebhookTarget['secretRef']) => Promise<Secret>;
  /** Whether this machine itself may be posted to. */
  readonly loopback: boolean;
}

const PREFIX = 'whsec_';
/** The specification wants 24 bytes at least. */
const LEAST_KEY_BYTES = 24;

export function createWebhook(settings: WebhookSettings, deps: WebhookDeps): Channel<WebhookTarget> {
  return {
    tell: async (notice) => {
      const url = checkedUrl(notice.target.url, settings, deps.loopback);
      const [namespace = ''] = notice.request.spec.rule.name.split('/');
      const key = keyOf(await deps.secretOf(namespace, notice.target.secretRef));
      const id = `${notice.request.metadata.name}.${notice.phase.toLowerCase()}`;
      const timestamp = String(Math.floor(deps.now() / 1000));
      const body = JSON.stringify(payloadOf(notice));
      const answer = await ask(
        {
          method: 'POST',
          url,
          headers: {
            'content-type': 'application/json',
            'user-agent': 'gatehouse',
            'webhook-id': id,
            'webhook-timestamp': timestamp,
            'webhook-signature': signature(key, `${id}.${timestamp}.${body}`),
          },
          body,
        },
        deps,
      );
      if (answer.status < 200 || answer.status >= 300) throw refused(url.host, answer);
      return { ref: id };
    },
  };
}

function signature(key: Buffer, content: string): string {
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}

function keyOf(secret: Secret): Buffer {
  const text = secret.reveal();
  const encoded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : '';
  const key = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.alloc(0);
  if (key.length >= LEAST_KEY_BYTES) return key;
  throw new DeliveryError(
    `The secret of the webhook must be "${PREFIX}" and at least ${LEAST_KEY_BYTES} bytes in base64.`,
  );
}

/** A rule is written in a namespace; where the operator may post to is the installation's to say. */
function checkedUrl(text: string, { allow }: WebhookSettings, loopback: boolean): URL {
  const url = new URL(text);
  if (loopback && isLoopback(url)) return url;
  if (url.protocol === 'https:' && allow.some((pattern) => covers(pattern, url))) return url;
  throw new DeliveryError(
    `The installation does not allow webhooks to ${url.host}; add it to notify.webhook.allow of its settings.`,
  );
}

/** A pattern without a port is for the port of https. */
function covers(pattern: string, { hostname, port }: URL): boolean {
  const [wanted = '', wantedPort = ''] = pattern.split(':');
  if (port !== (wantedPort === '443' ? '' : wantedPort)) return false;
  return wanted.startsWith('*.') ? hostname.endsWith(wanted.slice(1)) : hostname === wanted;
}

/** The preview is masked. A repeat has the same id and says the same, or what has become of it since. */
function payloadOf({ request, phase, link }: Notice<WebhookTarget>): object {
  const { metadata, spec, status } = request;
  const { provider, username, groups } = spec.requester;
  const { server, tool, preview, risk, parsed } = spec.call;
  return {
    type: phase === 'Pending' ? 'approval.requested' : `approval.${phase.toLowerCase()}`,
    timestamp: phase === 'Pending' ? metadata.creationTimestamp : status.lastTransitionTime,
    data: {
      id: metadata.name,
      gateway: gatewayOf(request),
      rule: spec.rule.name,
      requester: { provider, username, groups },
      call: { server, tool, preview, risk, parsed },
      phase,
      expiresAt: spec.expiresAt,
      decisions: decisionsIn(request),
      ...(link !== undefined && { link }),
    },
  };
}

function decisionsIn({ spec }: ApprovalRequest): object[] {
  return spec.decisions.map(({ by, verdict, via, at, comment }) => ({
    ...{ by, verdict, via, at },
    ...(comment !== undefined && { comment }),
  }));
}
