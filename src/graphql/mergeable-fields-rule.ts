import {
  type FieldNode,
  GraphQLError,
  Kind,
  print,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
  type ValueNode,
} from 'graphql';

/**
 * Fields with one response name must be one field with the same arguments, through fragments too. In place of
 * graphql-js' OverlappingFieldsCanBeMergedRule, which compares every pair of them: this one reads each selection as often
 * as execution would, and compares it with the first of its name.
 *
 * It holds for a schema without interfaces and unions, in which all fields of one place have the same parent type.
 */
export const mergeableFieldsRule: ValidationRule = (context) => {
  const textOf = createFieldTexts();

  function check(sets: readonly SelectionSetNode[]): void {
    for (const [name, fields] of collectFields(sets, context)) {
      const [first, ...others] = fields;
      const other = first && others.find((field) => textOf(field) !== textOf(first));
      if (other) context.reportError(conflict(name, first, other));
      else check(fields.flatMap(({ selectionSet }) => selectionSet ?? []));
    }
  }

  return { OperationDefinition: ({ selectionSet }) => check([selectionSet]) };
};

/** The fields of selection sets by response name, each fragment followed once: linear in the document. */
export function collectFields(
  sets: readonly SelectionSetNode[],
  context: ValidationContext,
): ReadonlyMap<string, readonly FieldNode[]> {
  const fields = new Map<string, FieldNode[]>();
  const visited = new Set<string>();

  function visit({ selections }: SelectionSetNode): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) add(selection);
      else if (selection.kind === Kind.INLINE_FRAGMENT) visit(selection.selectionSet);
      else visitFragment(selection.name.value);
    }
  }

  function visitFragment(name: string): void {
    if (visited.has(name)) return;
    visited.add(name);
    const fragment = context.getFragment(name);
    if (fragment) visit(fragment.selectionSet);
  }

  function add(field: FieldNode): void {
    const name = (field.alias ?? field.name).value;
    const known = fields.get(name);
    if (known) known.push(field);
    else fields.set(name, [field]);
  }

  sets.forEach(visit);
  return fields;
}

/** Name and arguments of a field as a text, the same whatever the order of arguments. Each is made once. */
function createFieldTexts(): (field: FieldNode) => string {
  const texts = new Map<FieldNode, string>();
  return (field) => {
    const known = texts.get(field);
    if (known !== undefined) return known;
    const args = (field.arguments ?? []).map(({ name, value }) => `${name.value}: ${valueText(value)}`);
    const text = `${field.name.value}(${args.sort().join(', ')})`;
    texts.set(field, text);
    return text;
  };
}

function valueText(value: ValueNode): string {
  if (value.kind === Kind.LIST) return `[${value.values.map(valueText).join(', ')}]`;
  if (value.kind !== Kind.OBJECT) return print(value);
  const fields = value.fields.map((field) => `${field.name.value}: ${valueText(field.value)}`);
  return `{${fields.sort().join(', ')}}`;
}

/** In the words of graphql-js. */
function conflict(responseName: string, first: FieldNode, other: FieldNode): GraphQLError {
  const [one, two] = [first.name.value, other.name.value];
  const reason = one === two ? 'they have differing arguments' : `"${one}" and "${two}" are different fields`;
  return new GraphQLError(
    `Fields "${responseName}" conflict because ${reason}. Use different aliases on the fields to fetch both if this was intentional.`,
    { nodes: [first, other] },
  );
}
