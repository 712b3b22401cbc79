/** Where channels report: each request is believed by its signature, and what it says is judged like any decision. */
import { createHmac } from 'node:crypto';
import express, { type Request, type Router } from 'express';
import { sentenceOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import { Problem } from '../../problem.ts';
import type { KnownPeople } from '../known-people.ts';
import { decideByChannel, type DecideDeps } from './decide.ts';
import { readSecret } from './secret-files.ts';
import type { NotifySettings } from './settings.ts';
import type { Slack } from './slack.ts';
import { createSlackVerifier, isEqual, pressedIn, type Pressed } from './slack-hook.ts';

export interface HookDeps extends DecideDeps {
  readonly settings: NotifySettings;
  readonly slack: Slack | undefined;
  readonly people: KnownPeople;
  /** A webhook of Jira says that something has changed. */
  readonly onJira: () => void;
  readonly now: () => number;
  readonly log: Logger;
}

const MAX_HOOK = '512kb';

/** `POST /slack` and `POST /jira`, for whichever are set up. */
export function createHooks(deps: HookDeps): Router {
  const { settings, slack, now } = deps;
  const router = express.Router();
  // Signatures are over the bytes.
  router.use(express.raw({ type: () => true, limit: MAX_HOOK, inflate: false }));

  const signing = settings.slack?.signingSecretFile;
  if (slack !== undefined && signing !== undefined) {
    const verify = createSlackVerifier(now);
    router.post('/slack', async (request, response) => {
      const body = bytesOf(request);
      verify(
        {
          signature: request.header('x-slack-signature'),
          timestamp: request.header('x-slack-request-timestamp'),
          body,
        },
        await readSecret(signing),
      );
      const pressed = pressedIn(body);
      // Slack waits for three seconds, and asking who somebody is may take longer.
      response.status(200).end();
      if (pressed !== undefined) await press(pressed, slack, deps);
    });
  }
  const jiraSecret = settings.jira?.webhookSecretFile;
  if (jiraSecret !== undefined) {
    router.post('/jira', async (request, response) => {
      const secret = await readSecret(jiraSecret);
      const wanted = createHmac('sha256', secret.reveal()).update(bytesOf(request)).digest('hex');
      if (!isEqual(request.header('x-hub-signature') ?? '', `sha256=${wanted}`)) {
        throw new Problem('unauthenticated', 'The signature of the request does not verify.');
      }
      deps.onJira();
      response.status(204).end();
    });
  }
  return router;
}

function bytesOf(request: Request): Buffer {
  const body: unknown = request.body;
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

/** Never rejects: Slack has its answer. */
async function press(pressed: Pressed, slack: Slack, deps: HookDeps): Promise<void> {
  const { approval, ref, verdict, user, channel } = pressed;
  try {
    const by = deps.people.byEmail(await slack.emailOf(user));
    await decideByChannel({ kind: 'slack', approval, ref, verdict, by }, deps);
    deps.log.info({ approval, by: by?.username, verdict, via: 'slack' }, 'approval decided');
  } catch (error) {
    const reason = sentenceOf(error);
    deps.log.warn({ approval, user, reason }, 'A decision from Slack does not count.');
    const told = error instanceof Problem ? reason : 'This could not be decided now; try again in a while.';
    await slack
      .whisper(channel, user, told)
      .catch((err: unknown) =>
        deps.log.warn({ reason: sentenceOf(err) }, 'Nobody could be told so in Slack.'),
      );
  }
}
