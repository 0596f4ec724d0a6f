import { describe } from 'vitest';
import { closing } from './contract/closing.ts';
import { findingRepeats } from './contract/finding-repeats.ts';
import { forgetting } from './contract/forgetting.ts';
import { limitingMessages } from './contract/limiting-messages.ts';
import { limitingQuarantine } from './contract/limiting-quarantine.ts';
import { listing } from './contract/listing.ts';
import { numbering } from './contract/numbering.ts';
import { pruning } from './contract/pruning.ts';
import { quarantining } from './contract/quarantining.ts';
import { repeating } from './contract/repeating.ts';
import { repeatingIds } from './contract/repeating-ids.ts';
import { retaining } from './contract/retaining.ts';
import { sending } from './contract/sending.ts';
import { separating } from './contract/separating.ts';
import type { Open } from './contract/test-store.ts';
import { trouble } from './contract/trouble.ts';
import { watching } from './contract/watching.ts';
import { writing } from './contract/writing.ts';

/** The promises of `src/store/port.ts`, each a test. Every adapter must pass. */
export function storeContract(name: string, open: Open): void {
  describe(`${name} keeps the promises of the store`, () => {
    describe('writing', () => writing(open));
    describe('sending', () => sending(open));
    describe('repeating', () => repeating(open));
    describe('listing', () => listing(open));
    describe('watching', () => watching(open));
    describe('separating', () => separating(open));
    describe('quarantining', () => quarantining(open));
    describe('limiting the quarantine', () => limitingQuarantine(open));
    describe('limiting messages of callbacks alone', () => limitingMessages(open));
    describe('ids given twice', () => repeatingIds(open));
    describe('numbering', () => numbering(open));
    describe('finding repeats', () => findingRepeats(open));
    describe('retaining', () => retaining(open));
    describe('forgetting', () => forgetting(open));
    describe('pruning', () => pruning(open));
    describe('trouble', () => trouble(open));
    describe('closing', () => closing(open));
  });
}
