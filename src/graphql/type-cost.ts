import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isListType,
  isObjectType,
} from 'graphql';
import { asciiCost, type FieldCost } from './field-cost.ts';

/** Scalars whose values are never longer. An instant can have a year of more than four digits: `+010000-01-01T…`. */
const scalarCosts: Readonly<Record<string, number>> = {
  Boolean: 'false'.length,
  Int: '-2147483648'.length,
  DateTime: asciiCost(27),
};

/** Of one value of a scalar or an enum. Undefined: a text, which can be of any length. */
function boundedCost(type: GraphQLNamedType): number | undefined {
  if (!isEnumType(type)) return scalarCosts[type.name];
  return asciiCost(Math.max(...type.getValues().map(({ name }) => name.length)));
}

/** The same, for a type of which `checkCosts` has seen that it needs no declaration. */
export function costOfType(type: GraphQLNamedType): number {
  const cost = boundedCost(type);
  if (cost === undefined) throw new Error(`a field of type ${type.name} declares no cost`);
  return cost;
}

export function declaredCost({ extensions }: GraphQLField<unknown, unknown>): FieldCost | undefined {
  const { complexity } = extensions as { readonly complexity?: FieldCost };
  return complexity;
}

/** @throws Error with every field that must declare a cost and does not: texts, and lists. */
export function checkCosts(schema: GraphQLSchema): void {
  const missing = Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && !type.name.startsWith('__'))
    .flatMap((type) => (isObjectType(type) ? fieldsWithoutCost(type.name, type.getFields()) : []));
  if (missing.length > 0) throw new Error(`these fields need a complexity: ${missing.join(', ')}`);
}

function fieldsWithoutCost(owner: string, fields: Readonly<Record<string, GraphQLField<unknown, unknown>>>) {
  return Object.values(fields)
    .filter((field) => declaredCost(field) === undefined && needsCost(field))
    .map(({ name }) => `${owner}.${name}`);
}

function needsCost({ type }: GraphQLField<unknown, unknown>): boolean {
  const named = getNamedType(type);
  return isListType(getNullableType(type)) || (!isObjectType(named) && boundedCost(named) === undefined);
}
