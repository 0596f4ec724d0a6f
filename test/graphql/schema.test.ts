import { type GraphQLNamedType, isEnumType, isInputObjectType, isObjectType, printSchema } from 'graphql';
import { expect, test } from 'vitest';
import { buildGatewaySchema } from '../../src/graphql/schema.ts';

test('schema/schema.graphql is what the code serves (`npm run schema` writes it)', async () => {
  const schema = await buildGatewaySchema();
  await expect(`${printSchema(schema)}\n`).toMatchFileSnapshot('../../schema/schema.graphql');
});

test('every type, field, argument, input and enum value is described for the reader in GraphiQL', async () => {
  const schema = await buildGatewaySchema();
  const roots = ['Query', 'Mutation', 'Subscription'];
  const types = Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith('__'));
  const undescribed = types.flatMap((type) => [
    ...(type.description || roots.includes(type.name) ? [] : [type.name]),
    ...partsOf(type)
      .filter((part) => !part.description)
      .map((part) => `${type.name}.${part.name}`),
  ]);
  expect(undescribed).toEqual([]);
});

function partsOf(type: GraphQLNamedType): { name: string; description?: string | null | undefined }[] {
  if (isEnumType(type)) return [...type.getValues()];
  if (isInputObjectType(type)) return Object.values(type.getFields());
  if (!isObjectType(type)) return [];
  return Object.values(type.getFields()).flatMap((field) => [field, ...field.args]);
}
