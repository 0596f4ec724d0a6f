import { badUserInput } from '../errors.ts';

export const defaultPageSize = 20;
const maxPageSize = 100;

/** @throws GatewayError BAD_USER_INPUT outside 1 to 100. */
export function checkPageSize(first: number | null | undefined): number {
  const size = first ?? defaultPageSize;
  if (size >= 1 && size <= maxPageSize) return size;
  throw badUserInput([{ path: ['first'], expected: `a number from 1 to ${maxPageSize}, not ${size}` }]);
}
