/** Arguments of a list that ask for no page there is: what they are, themselves, and the path of their fault. */
export const badPages = [
  ['a page of 0', { first: 0 }, ['first']],
  ['a page of 101', { first: 101 }, ['first']],
  ['a cursor of somebody else', { after: 'nonsense' }, ['after']],
] as const;
