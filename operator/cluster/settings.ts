/** What whoever installs Gatehouse says of every gateway and of approvers: a YAML file, as helm values make it. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { GatehouseError, sentenceOf } from '../../lib/errors.ts';
import { areCertificates } from '../../lib/pem.ts';
import { askingMembers, knownPeople, type Asking } from '../approve/asking.ts';
import type { VaultAccess } from '../../crds/bundle.ts';
import type { UsernameMapping } from '../approve/usernames.ts';
import type { Floors } from '../compile/index.ts';

/** The settings cannot be used; the sentence says what is wrong. */
export class SettingsError extends GatehouseError {
  readonly code = 'bad_settings';
}

const most = z.strictObject({
  maxBodyBytes: z.int().positive().optional(),
  callTimeoutMs: z.int().positive().optional(),
  sessionIdleMs: z.int().positive().optional(),
  callsPerMinute: z.int().positive().optional(),
  leases: z.int().positive().optional(),
  leasesPerMinute: z.int().positive().optional(),
});

const caBundle = z.string().refine(areCertificates, 'must hold certificates in PEM');

const vault = z.strictObject({
  address: z.url({ protocol: /^https$/, error: 'must be an https URL' }),
  caBundle: caBundle.optional(),
  namespace: z.string().min(1).optional(),
  auth: z
    .strictObject({
      method: z.enum(['jwt', 'kubernetes']).default('jwt'),
      /** Where the method is mounted; its own name without it. */
      mount: z.string().min(1).optional(),
    })
    .prefault({}),
});

const settingsFile = z.strictObject({
  ...askingMembers,
  /** What injection writes into pods; injection reads it. */
  injection: z.unknown().optional(),
  floors: z
    .strictObject({
      anonymousForbidden: z.boolean().default(false),
      onFailureAllowForbidden: z.boolean().default(false),
      most: most.prefault({}),
    })
    .prefault({}),
  approvers: z
    .strictObject({
      people: knownPeople,
      usernames: z
        .array(
          z.strictObject({
            issuer: z.string().min(1),
            claim: z.string().min(1),
            prefix: z.string().default(''),
          }),
        )
        .default([]),
    })
    .prefault({}),
  /** Where sidecars get credentials from. */
  vault: vault.optional(),
  /** Whom sidecars call. */
  upstreams: z.strictObject({ caBundle: caBundle.optional() }).prefault({}),
});

export interface Settings {
  readonly floors: Floors;
  readonly usernames: readonly UsernameMapping[];
  readonly asking: Asking;
  /** Not read yet; absent where nothing is injected. */
  readonly injection: unknown;
  /** Absent where the installation names no Vault. */
  readonly vault?: VaultAccess;
  /** Roots beside those of the system that vouch for whom sidecars call, PEM. */
  readonly upstreamRoots?: string;
}

/** Without a path: the settings of an installation that says nothing. Throws SettingsError. */
export async function readSettings(path: string | undefined): Promise<Settings> {
  const settings = path === undefined ? settingsFile.parse({}) : await readAt(path);
  const {
    floors,
    approvers,
    injection: injected,
    publicUrl,
    notify,
    console,
    vault: named,
    upstreams,
  } = settings;
  if (console !== undefined && publicUrl === undefined) {
    throw new SettingsError(
      'The settings have a console and no publicUrl, to which people return from signing in.',
    );
  }
  return {
    asking: { publicUrl, notify, console, people: approvers.people },
    floors: {
      allowAnonymous: !floors.anonymousForbidden,
      allowUnrecorded: !floors.onFailureAllowForbidden,
      most: withoutUndefined(floors.most),
    },
    usernames: approvers.usernames,
    injection: injected,
    ...(named !== undefined && { vault: vaultOf(named) }),
    ...(upstreams.caBundle !== undefined && { upstreamRoots: upstreams.caBundle }),
  };
}

function vaultOf({ address, caBundle, namespace, auth }: z.output<typeof vault>): VaultAccess {
  return {
    address,
    ...(caBundle !== undefined && { caBundle }),
    ...(namespace !== undefined && { namespace }),
    auth: { kind: auth.method, mount: auth.mount ?? auth.method },
  };
}

async function readAt(path: string): Promise<z.output<typeof settingsFile>> {
  let value: unknown;
  try {
    value = parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new SettingsError(`The settings in ${path} cannot be read: ${sentenceOf(cause)}.`, { cause });
  }
  const parsed = settingsFile.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.map(String).join('.') ?? '';
  throw new SettingsError(
    `The settings in ${path} are wrong at ${place || 'the top'}: ${issue?.message ?? 'unreadable'}.`,
  );
}

function withoutUndefined(limits: z.output<typeof most>): Floors['most'] {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
