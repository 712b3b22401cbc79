import type { MaskPolicy } from '../../../../crds/bundle.ts';
import { ai } from './ai.ts';
import { assigned } from './assigned.ts';
import { azure } from './azure.ts';
import { build } from './build.ts';
import { clouds } from './clouds.ts';
import { codeHosting } from './code-hosting.ts';
import { communication } from './communication.ts';
import { configuration } from './configuration.ts';
import { databases } from './databases.ts';
import type { BuiltinDetector } from './detector.ts';
import { generic } from './generic.ts';
import { iban } from './iban.ts';
import { identity } from './identity.ts';
import { infrastructure } from './infrastructure.ts';
import { monitoring } from './monitoring.ts';
import { nationalIds } from './national-ids.ts';
import { paymentCards } from './payment-cards.ts';
import { payments } from './payments.ts';
import { personalData } from './personal-data.ts';
import { platforms } from './platforms.ts';
import { work } from './work.ts';

type Preset = Extract<MaskPolicy['detectors'][number], { preset: unknown }>['preset'];

/** What each preset of a masking policy looks for. */
export const PRESETS: Readonly<Record<Preset, readonly BuiltinDetector[]>> = {
  // The order is that of names: what two formats see is called by the first.
  Credentials: [
    ...clouds,
    ...platforms,
    ...azure,
    ...codeHosting,
    ...build,
    ...communication,
    ...payments,
    ...ai,
    ...monitoring,
    ...identity,
    ...work,
    ...databases,
    ...infrastructure,
    ...configuration,
    ...generic,
    ...assigned,
  ],
  PaymentCards: paymentCards,
  PersonalData: [...personalData, iban, ...nationalIds],
};
