import {
  type GraphQLField,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  Kind,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
} from 'graphql';
import type { PlannedField } from './operation-plan.ts';

/** Values that are looked at for one operation. GraphiQL's introspection looks at some thousands. */
const maxValues = 20_000;

/** Whether a field is one that answers from the schema itself. */
export function isIntrospection(field: GraphQLField<unknown, unknown>): boolean {
  return field === SchemaMetaFieldDef || field === TypeMetaFieldDef;
}

/**
 * The bytes that introspection answers with. They are known before it runs, since the schema does not change: this asks
 * graphql-js's own resolvers, but each field only once about each type, so a document that asks for the fields of the
 * types of the fields, and so on, is not run to find out that it is too large.
 *
 * @param minFieldCost what a field counts at least.
 */
export function createIntrospectionCost(
  schema: GraphQLSchema,
  minFieldCost: number,
): (planned: PlannedField) => number {
  const info = { schema } as GraphQLResolveInfo;
  const known = new Map<PlannedField, Map<unknown, number>>();
  let values = 0;

  /** Of a field of `source`, with its name. */
  function fieldCost(planned: PlannedField, source: unknown): number {
    const ofField = known.get(planned) ?? new Map<unknown, number>();
    known.set(planned, ofField);
    const before = ofField.get(source);
    if (before !== undefined) return before;
    if (values > maxValues) return Number.POSITIVE_INFINITY;
    const cost = Math.max(
      planned.name.length + '"":,'.length + valueCost(planned, resolve(planned, source)),
      minFieldCost,
    );
    ofField.set(source, cost);
    return cost;
  }

  /** Deprecated entries count as asked for. */
  function resolve({ field, parent }: PlannedField, source: unknown): unknown {
    if (field.name === '__typename') return parent.name;
    return field.resolve?.(source, { includeDeprecated: true }, undefined, info);
  }

  function valueCost(planned: PlannedField, value: unknown): number {
    values += 1;
    if (values > maxValues) return Number.POSITIVE_INFINITY;
    if (value === null || value === undefined) return 'null'.length;
    if (Array.isArray(value))
      return value.reduce<number>((total, item) => total + 1 + valueCost(planned, item), '[]'.length);
    const { selected } = planned;
    if (selected.length === 0) return Buffer.byteLength(JSON.stringify(value));
    return selected.reduce((total, field) => total + fieldCost(field, value), '{}'.length);
  }

  return (planned) => Math.max(...rootsOf(schema, planned).map((root) => valueCost(planned, root)));
}

/** What the field can be about: the schema, the type of this name, or, where a variable has the name, any type. */
function rootsOf(schema: GraphQLSchema, { field, nodes }: PlannedField): readonly unknown[] {
  if (field === SchemaMetaFieldDef) return [schema];
  const name = nodes[0].arguments?.[0]?.value;
  return name?.kind === Kind.STRING ? [schema.getType(name.value)] : Object.values(schema.getTypeMap());
}
