import { badUserInput } from '../errors.ts';

export const defaultPageSize = 20;
const maxPageSize = 100;

/** @throws GatewayError BAD_USER_INPUT outside 1 to 100. */
export function checkPageSize(first: number | null | undefined): number {
  const size = first ?? defaultPageSize;
  if (isPageSize(size)) return size;
  throw badUserInput([{ path: ['first'], expected: `a number from 1 to ${maxPageSize}, not ${size}` }]);
}

/** The most items that come back for `first`, as a caller gives it: one that is refused brings none, and counts as 1. */
export function maxItemsOf(first: unknown): number {
  const size = first ?? defaultPageSize;
  return isPageSize(size) ? size : 1;
}

function isPageSize(size: unknown): size is number {
  return Number.isInteger(size) && Number(size) >= 1 && Number(size) <= maxPageSize;
}
