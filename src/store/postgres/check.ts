import type { Kind } from './batch.ts';
import { inSchema } from './schema-text.ts';

const slots = 64;

/** Proves that the store can write. */
export function checkKind(schema: string): Kind<null, null> {
  const text = inSchema(
    schema,
    'insert into :schema.probe as p values ($1, 1) on conflict (slot) do update set writes = p.writes + 1',
  );
  const slot = Math.floor(Math.random() * slots);
  return {
    businessOf: () => null,
    plan: (calls) => ({
      statements: [{ text, name: 'check', values: [slot] }],
      read: () => calls.map(() => null),
    }),
  };
}
