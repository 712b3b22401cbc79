/**
 * Structured values made by @faker-js/faker, in sentences and rows that it makes too: neither the values nor what is
 * around them was written with the detectors in mind.
 */
import { allFakers, type Faker } from '@faker-js/faker';
import { compileMasker, createKnownSecrets, type Masker } from '../../proxy/engine/mask/index.ts';
import { maskPolicy } from '../fixtures/mask-policy.ts';
import { namesIn } from './masks.ts';

export interface Score {
  readonly kind: string;
  /** Values planted, and how many of them were masked. */
  readonly planted: number;
  readonly found: number;
  /** Masks of a value that nobody planted. */
  readonly wrong: number;
}

const ISSUERS = ['visa', 'mastercard', 'american_express', 'discover', 'jcb', 'diners_club'] as const;

/** The first draw that fits. */
function drawn(make: () => string, fits: (value: string) => boolean): string {
  for (;;) {
    const value = make();
    if (fits(value)) return value;
  }
}

interface Kind {
  readonly name: string;
  /** Detectors that may name it. */
  readonly detectors: readonly string[];
  readonly make: (faker: Faker) => string;
}

const KINDS: readonly Kind[] = [
  {
    name: 'payment card',
    detectors: ['payment-card'],
    // Half of the Visa numbers that faker makes have 13 digits, which no card has had for decades and every EAN has.
    make: (faker) =>
      drawn(
        () => faker.finance.creditCardNumber(faker.helpers.arrayElement(ISSUERS)),
        (value) => value.replaceAll(/\D/g, '').length > 13,
      ),
  },
  { name: 'e-mail', detectors: ['email'], make: (faker) => faker.internet.email() },
  {
    name: 'e-mail, plus address',
    detectors: ['email'],
    make: (faker) => faker.internet.exampleEmail().replace('@', '+x@'),
  },
  {
    name: 'IBAN',
    detectors: ['iban'],
    make: (faker) =>
      drawn(
        () => faker.finance.iban({ formatted: faker.datatype.boolean() }),
        (value) => !/^(?:IR|GF|GP|MQ|RE|PF|TF|YT|NC|BL|MF|PM|WF)/.test(value),
      ),
  },
  {
    name: 'phone, international',
    detectors: ['phone'],
    make: (faker) => faker.phone.number({ style: 'international' }),
  },
  { name: 'JWT', detectors: ['jwt'], make: (faker) => faker.internet.jwt() },
  {
    name: 'password in a URL',
    detectors: ['connection-string-password'],
    make: (faker) =>
      `${faker.helpers.arrayElement(['postgres', 'mysql', 'amqp', 'redis', 'mongodb+srv'])}://${faker.internet.username().replaceAll(/[^a-z]/gi, '')}:${faker.internet.password({ length: 14, pattern: /[A-Za-z0-9]/ })}@${faker.internet.domainName()}:${faker.internet.port()}/${faker.database.column()}`,
  },
];

/** What surrounds a value: the placeholder is `{}`. */
const FRAMES: readonly ((faker: Faker) => string)[] = [
  (faker) => `${faker.hacker.phrase()} {}`,
  (faker) => `{} ${faker.company.catchPhrase()}`,
  (faker) => `${faker.person.firstName()}: {}, ${faker.location.streetAddress()}`,
  (faker) => `<td>{}</td><td>${faker.commerce.price()}</td>`,
  (faker) =>
    `${faker.date.recent().toISOString()} ${faker.internet.ipv4()} "{}" ${faker.internet.httpStatusCode()}`,
  (faker) => `${faker.lorem.sentence()}\n\t${faker.word.noun()}=({})\n${faker.lorem.sentence()}`,
  () => '{}',
];

/** Values that look like something and are nothing that is masked. */
const NOISE: readonly ((faker: Faker) => string | number)[] = [
  (faker) => faker.string.uuid(),
  (faker) => faker.string.nanoid(),
  (faker) => faker.string.ulid(),
  (faker) => faker.git.commitSha(),
  (faker) => faker.number.int({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  (faker) => faker.number.float({ fractionDigits: 6 }),
  (faker) => faker.string.numeric({ length: { min: 6, max: 12 } }),
  (faker) => faker.date.anytime().getTime(),
  (faker) => faker.internet.ipv6(),
  (faker) => `${faker.internet.ipv4()}:${faker.internet.port()}`,
  (faker) => faker.internet.mac(),
  (faker) => faker.internet.url(),
  (faker) => faker.internet.userAgent(),
  (faker) => faker.system.filePath(),
  (faker) => faker.system.semver(),
  (faker) => faker.image.url(),
  (faker) => faker.location.zipCode(),
  (faker) => `${faker.location.latitude()}, ${faker.location.longitude()}`,
  (faker) => faker.commerce.isbn(),
  (faker) => faker.database.mongodbObjectId(),
  (faker) => faker.hacker.phrase(),
  (faker) => faker.lorem.paragraph(),
  (faker) => faker.person.fullName(),
  (faker) => faker.airline.flightNumber(),
  (faker) => faker.vehicle.vin(),
  (faker) => `SELECT * FROM ${faker.database.column()} WHERE id = ${faker.number.int()}`,
];

const LOCALES = ['en', 'de', 'fr', 'es', 'it', 'pl', 'pt_BR', 'ja', 'tr', 'sv'] as const;

/** Scores by kind, and one of noise alone, over so many seeds in ten languages. */
export function scoreGenerated(seeds: number): Score[] {
  const masker = allPresets();
  const scores = KINDS.map((kind) => scoreKind(kind, masker, seeds));
  return [...scores, scoreNoise(masker, seeds)];
}

export function precision(scores: readonly Score[]): number {
  const found = sum(scores, ({ found }) => found);
  return found / (found + sum(scores, ({ wrong }) => wrong));
}

export function recall(scores: readonly Score[]): number {
  return sum(scores, ({ found }) => found) / sum(scores, ({ planted }) => planted);
}

function sum(scores: readonly Score[], of: (score: Score) => number): number {
  return scores.reduce((total, score) => total + of(score), 0);
}

export function allPresets(): Masker {
  return compileMasker(
    [
      maskPolicy({
        name: 'measured/all',
        direction: 'Both',
        detectors: [{ preset: 'Credentials' }, { preset: 'PaymentCards' }, { preset: 'PersonalData' }],
      }),
    ],
    { known: createKnownSecrets({ now: () => 0 }), hashKey: new Uint8Array(32) },
  );
}

function* fakers(seeds: number): Generator<Faker> {
  for (let seed = 0; seed < seeds; seed += 1) {
    const locale = LOCALES[seed % LOCALES.length] ?? 'en';
    const faker = allFakers[locale];
    faker.seed(1000 + seed);
    yield faker;
  }
}

function scoreKind(kind: Kind, masker: Masker, seeds: number): Score {
  const score = { kind: kind.name, planted: 0, found: 0, wrong: 0 };
  for (const faker of fakers(seeds)) {
    for (const frame of FRAMES) {
      const value = kind.make(faker);
      const around = frame(faker);
      const [masked, ...names] = maskedIn(
        masker,
        around.replace('{}', () => value),
      );
      const own = names.filter((name) => kind.detectors.includes(name)).length;
      const left = kind.name === 'password in a URL' ? (/:([^:@/]+)@/.exec(value)?.[1] ?? value) : value;
      score.planted += 1;
      if (own > 0 && !masked.includes(left)) score.found += 1;
      score.wrong += names.length - Math.min(own, 1);
    }
  }
  return score;
}

function scoreNoise(masker: Masker, seeds: number): Score {
  const score = { kind: 'nothing that is masked', planted: 0, found: 0, wrong: 0 };
  for (const faker of fakers(seeds)) {
    for (const make of NOISE) score.wrong += maskedIn(masker, make(faker)).length - 1;
  }
  return score;
}

/** The value as it is released, in a row of a result, and the detectors that were at work in it. */
function maskedIn(masker: Masker, value: string | number): [string, ...string[]] {
  const text = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    result: { structuredContent: { rows: [{ note: value }] } },
  });
  const outcome = masker.message(text, { purpose: 'release' });
  if (outcome.kind === 'withheld') return ['', 'withheld'];
  return [outcome.text, ...namesIn(outcome.text)];
}
