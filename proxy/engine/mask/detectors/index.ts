import type { MaskPolicy } from '../../../../crds/bundle.ts';
import { clouds } from './clouds.ts';
import { codeHosting } from './code-hosting.ts';
import type { BuiltinDetector } from './detector.ts';
import { generic } from './generic.ts';
import { paymentCards } from './payment-cards.ts';
import { personalData } from './personal-data.ts';

type Preset = Extract<MaskPolicy['detectors'][number], { preset: unknown }>['preset'];

/** What each preset of a masking policy looks for. */
export const PRESETS: Readonly<Record<Preset, readonly BuiltinDetector[]>> = {
  Credentials: [...clouds, ...codeHosting, ...generic],
  PaymentCards: paymentCards,
  PersonalData: personalData,
};
