/** The Postgres egress as a process of its own, in front of the database that its argument describes. */
import { z } from 'zod';
import { openDoor } from '../fixtures/database-door.ts';
import { maskPolicy } from '../fixtures/mask-policy.ts';

const described = z.object({
  host: z.string(),
  port: z.number(),
  ca: z.string(),
  superuser: z.object({ user: z.string(), password: z.string() }),
  masks: z.boolean(),
  judges: z.boolean(),
});

const { masks, judges, ...database } = described.parse(JSON.parse(process.argv[2] ?? '{}'));
const door = await openDoor(database, {
  ...(judges && { judge: (sql) => (/\bdelete\b/i.test(sql) ? 'refused' : undefined) }),
  policies: masks
    ? [
        maskPolicy({
          name: 'bench/all',
          detectors: [{ preset: 'Credentials' }, { preset: 'PaymentCards' }],
          fields: [{ keys: ['token', 'password'] }],
        }),
      ]
    : [],
});
console.log(`port ${door.port}`);
