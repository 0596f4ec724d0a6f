import fc from 'fast-check';
import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  OperationTypeNode,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
} from 'graphql';

export interface RandomOperation {
  readonly source: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Valid queries and mutations, in all that a caller can vary: aliases, fragments, conditions, pages, variables. */
export function randomOperations(schema: GraphQLSchema): fc.Arbitrary<RandomOperation> {
  return fc.gen().map((generate) => {
    const write = createWriter(schema, generate);
    return write();
  });
}

const sizes = ['1', '2', '7', '100', 'null', '0', '-1', '101', '$size', '$absent'];
const values = fc.constantFrom<unknown>(1, 3, 20, null, undefined, 0, 101, 2.5, 'x', [5], true);
const defaults = fc.constantFrom('', ' = 2', ' = null', ' = 100');

/** What one document selects at most, before the rest is `__typename`. */
const maxParts = 40;

function createWriter(schema: GraphQLSchema, generate: fc.GeneratorValue): () => RandomOperation {
  const fragments: string[] = [];
  let names = 0;
  let parts = 0;

  const chance = (of: number) => generate(fc.nat, { max: of - 1 }) === 0;
  const pick = <T>(some: readonly T[]) => generate(() => fc.constantFrom(...some));

  /** Never the same twice, so that two fields of one name are always the same field. */
  function newName(): string {
    names += 1;
    return `n${names}${'x'.repeat(chance(8) ? 300 : 0)}`;
  }

  function argumentsOf({ name, args }: GraphQLField<unknown, unknown>): string {
    const given = args.flatMap((arg) => {
      if (['first', 'length', 'offset'].includes(arg.name))
        return chance(4) ? [] : [`${arg.name}: ${pick(sizes)}`];
      if (arg.name === 'input')
        return [
          `input: ${name === 'forgetClient' ? '{ client: "c" }' : '{ client: "c", textMessage: "t" }'}`,
        ];
      if (arg.name === 'includeDeprecated')
        return chance(2) ? [] : [`${arg.name}: ${pick(['true', 'false'])}`];
      if (name === '__type')
        return [`name: ${pick(['"Message"', '"Query"', '"__Type"', '"None"', '$type'])}`];
      if (arg.name === 'ids') return ['ids: ["m"]'];
      return arg.name === 'id' ? ['id: "m"'] : [];
    });
    return given.length > 0 ? `(${given.join(', ')})` : '';
  }

  function field(definition: GraphQLField<unknown, unknown>, depth: number): string {
    const args = argumentsOf(definition);
    const alias = definition.args.length > 0 || chance(3) ? `${newName()}: ` : '';
    const condition = chance(8) ? pick([' @skip(if: false)', ' @include(if: $yes)', ' @skip(if: $yes)']) : '';
    const type: GraphQLNamedType = getNamedType(definition.type);
    const selected = isObjectType(type) ? ` ${selection(type, depth - 1)}` : '';
    return `${alias}${definition.name}${args}${condition}${selected}`;
  }

  function part(type: GraphQLObjectType, depth: number): string {
    parts += 1;
    if (parts > maxParts) return '__typename';
    if (chance(10)) return `... on ${type.name} ${selection(type, depth - 1)}`;
    if (chance(10)) return fragment(type, depth);
    if (chance(10)) return '__typename';
    const all = [...Object.values(type.getFields()), ...metaFieldsOf(type)];
    const shallow = all.filter((definition) => !isObjectType(getNamedType(definition.type)));
    const possible = depth > 0 ? all : shallow;
    return possible.length > 0 ? field(pick(possible), depth) : '__typename';
  }

  function fragment(type: GraphQLObjectType, depth: number): string {
    const name = newName();
    fragments.push(`fragment ${name} on ${type.name} ${selection(type, depth - 1)}`);
    return Array.from({ length: chance(2) ? 2 : 1 }, () => `...${name}`).join(' ');
  }

  function metaFieldsOf(type: GraphQLObjectType): readonly GraphQLField<unknown, unknown>[] {
    return type === schema.getQueryType() ? [SchemaMetaFieldDef, TypeMetaFieldDef] : [];
  }

  function selection(type: GraphQLObjectType, depth: number): string {
    const count = 1 + generate(fc.nat, { max: 4 });
    return `{ ${Array.from({ length: count }, () => part(type, depth)).join(' ')} }`;
  }

  return () => {
    const kind = chance(4) ? OperationTypeNode.MUTATION : OperationTypeNode.QUERY;
    const root = schema.getRootType(kind);
    const selected = root ? selection(root, 5) : '';
    const definitions = [
      `$size: Int${generate(() => defaults)}`,
      `$absent: Int${generate(() => defaults)}`,
      '$yes: Boolean = true',
      '$type: String! = "Message"',
    ].filter((definition) =>
      new RegExp(`\\${definition.split(':', 1)[0]}\\b`).test(selected + fragments.join('')),
    );
    const variables = definitions.length > 0 ? `(${definitions.join(', ')})` : '';
    const size = generate(() => values);
    return {
      source: `${kind} ${variables} ${selected} ${fragments.join(' ')}`,
      variables: { ...(size !== undefined && { size }), yes: chance(2) },
    };
  };
}
