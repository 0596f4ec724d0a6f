import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql';

/** A field of an answer, once for all its selections that have one name there. */
export interface PlannedField {
  /** As the answer has it: the alias, or the field's name. */
  readonly name: string;
  readonly parent: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
  /** All of them have the same arguments. */
  readonly nodes: readonly [FieldNode, ...FieldNode[]];
  readonly selected: readonly PlannedField[];
}

/**
 * Selections that are looked at for one operation, each as often as a fragment brings it. Fragments in fragments could
 * otherwise multiply without end.
 */
const maxSelections = 5_000;

/**
 * The fields of an operation's answer, merged as graphql-js merges them. `@skip` and `@include` are not looked at: the
 * plan has all that could be in the answer. Undefined: it has more than `maxSelections`.
 *
 * @param document a valid one, of this schema, with `operation` in it.
 */
export function planOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): readonly PlannedField[] | undefined {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  let selections = 0;

  function plan(parent: GraphQLObjectType, sets: readonly SelectionSetNode[]): readonly PlannedField[] {
    const byName = new Map<string, [FieldNode, ...FieldNode[]]>();
    const spread = new Set<string>();
    for (const set of sets) collect(set, byName, spread);
    return [...byName].map(([name, nodes]) => planField(name, parent, nodes));
  }

  function collect(set: SelectionSetNode, byName: Map<string, FieldNode[]>, spread: Set<string>): void {
    for (const selection of set.selections) {
      selections += 1;
      if (selections > maxSelections) return;
      if (selection.kind === Kind.FIELD) addTo(byName, selection);
      else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet, byName, spread);
      else if (!spread.has(selection.name.value)) {
        spread.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment) collect(fragment.selectionSet, byName, spread);
      }
    }
  }

  function planField(name: string, parent: GraphQLObjectType, nodes: PlannedField['nodes']): PlannedField {
    const field = fieldOf(schema, parent, nodes[0].name.value);
    const type = getNamedType(field.type);
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    return { name, parent, field, nodes, selected: isObjectType(type) ? plan(type, sets) : [] };
  }

  const root = schema.getRootType(operation.operation);
  const planned = root ? plan(root, [operation.selectionSet]) : [];
  return selections > maxSelections ? undefined : planned;
}

function addTo(byName: Map<string, FieldNode[]>, node: FieldNode): void {
  const name = (node.alias ?? node.name).value;
  const known = byName.get(name);
  if (known) known.push(node);
  else byName.set(name, [node]);
}

const metaFields = new Map(
  [SchemaMetaFieldDef, TypeMetaFieldDef, TypeNameMetaFieldDef].map((field) => [field.name, field]),
);

function fieldOf(schema: GraphQLSchema, parent: GraphQLObjectType, name: string) {
  const field = parent.getFields()[name] ?? metaFields.get(name);
  if (!field) throw new Error(`the valid document asks ${parent.name} of ${schema} for ${name}`);
  return field;
}
