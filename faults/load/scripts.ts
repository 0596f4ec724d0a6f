import type { DeliveryStatus } from '../../src/message.ts';

/** What a provider says of one message: some stop before READ, some fail, and some arrive after all. */
const scripts: readonly (readonly DeliveryStatus[])[] = [
  ['SENT', 'DELIVERED', 'READ'],
  ['SENT', 'DELIVERED', 'READ'],
  ['SENT', 'DELIVERED', 'READ'],
  ['SENT', 'DELIVERED', 'READ'],
  ['SENT', 'DELIVERED'],
  ['SENT', 'FAILED'],
  ['SENT', 'FAILED', 'DELIVERED'],
  ['SENT', 'FAILED', 'DELIVERED', 'READ'],
  ['READ'],
];

const words: Readonly<Record<DeliveryStatus, string>> = {
  ACCEPTED: 'accepted',
  SENT: 'sent',
  FAILED: 'failed',
  DELIVERED: 'delivered',
  READ: 'read',
};

export function anyScript(): DeliveryStatus[] {
  return [...(scripts[Math.floor(Math.random() * scripts.length)] ?? [])];
}

/** The provider's word for a status. */
export function wordFor(status: DeliveryStatus): string {
  return words[status];
}
