/** The stages of one gateway, as the proxy makes them, without what they would wait for. */
import { gatewayName, type Bundle } from '../../crds/bundle.ts';
import { compileAccess } from '../../proxy/authorize/index.ts';
import { DevFiles } from '../../proxy/credential/dev-files.ts';
import { nodeFiles } from '../../proxy/credential/node-files.ts';
import { withoutForbidden } from '../../proxy/engine/client-features.ts';
import {
  compileMasker,
  createKnownSecrets,
  StreamMemory,
  type KnownSecrets,
} from '../../proxy/engine/mask/index.ts';
import { maskHere } from '../../proxy/engine/masking/index.ts';
import { compileGuard } from '../../proxy/guard/index.ts';
import { createIdentify } from '../../proxy/identify/index.ts';
import { createToolIntegrity, KnownTools } from '../../proxy/integrity/index.ts';
import { createRelease } from '../../proxy/release/index.ts';
import { UsageError } from '../io.ts';
import { callerOf } from './caller.ts';
import type { Identity } from './files.ts';
import type { Stages } from './judge.ts';

export interface Circumstances {
  /** Who calls; anonymous where nobody is given. */
  readonly identity: Identity | undefined;
  /** Name to value. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Throws GatehouseError for a policy that cannot be compiled. */
export async function createStages(bundle: Bundle, circumstances: Circumstances): Promise<Stages> {
  const { identity, secrets, now } = circumstances;
  const known = await knownSecrets(bundle, secrets, now);
  const hashKey = Buffer.from(bundle.hashKey, 'base64');
  const masker = maskHere(compileMasker(bundle.masking, { known, hashKey }));
  const access = compileAccess(bundle.access);
  const guard = await compileGuard(bundle.rules);
  const mayAsk = new Set(bundle.mayAsk);
  const tools = createToolIntegrity(bundle.tools, {
    known: new KnownTools(),
    // Every run would be a first use.
    remember: false,
    onNews: () => undefined,
    onChanged: () => undefined,
  });
  return {
    identify: identification(bundle, identity, now),
    authorize: (exchange) => {
      const authorized = access.authorize(exchange);
      tools.check(authorized.message);
      return authorized;
    },
    judge: (exchange) => guard.judge(exchange),
    masker,
    outgoing: (message) => withoutForbidden(message, mayAsk),
    release: createRelease({
      mayAsk,
      meets: (text, element) => tools.meets(text, element),
      visible: (recipient, target) => access.visible(recipient, target),
      masker,
      schemas: new Map(),
    }),
    stream: new StreamMemory(),
    now,
  };
}

/** What the proxy would hold: the given secrets, and those of devFile credentials that are there. */
async function knownSecrets(
  bundle: Bundle,
  secrets: Readonly<Record<string, string>>,
  now: () => number,
): Promise<KnownSecrets> {
  const known = createKnownSecrets({ now });
  for (const [name, value] of Object.entries(secrets)) known.set(`--secrets/${name}`, [value]);
  const gateway = gatewayName(bundle.gateway);
  const files = new DevFiles({ gateway, files: nodeFiles, now, known });
  files.use(bundle.credentials);
  await files.preload();
  return known;
}

function identification(
  bundle: Bundle,
  identity: Identity | undefined,
  now: () => number,
): Stages['identify'] {
  if (identity !== undefined) {
    const caller = callerOf(identity, bundle);
    return () => Promise.resolve(caller);
  }
  const identify = createIdentify(bundle.identity, {
    resource: bundle.publicUrl ?? 'http://localhost',
    now,
    verifierFor: () => ({ verify: () => Promise.reject(new UsageError('There is no token to verify.')) }),
  });
  return () => identify({ headersDistinct: {} });
}
