/** The values of an enum as type-graphql wants them: each name to itself. */
export function enumValues<Name extends string>(names: readonly Name[]): Record<Name, Name> {
  return Object.fromEntries(names.map((name) => [name, name])) as Record<Name, Name>;
}
