import {
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

/**
 * At most `max` different fields at the root of each operation, through fragments too. Fields with one response name
 * are run once, and so count once.
 */
export function maxRootFieldsRule(max: number): ValidationRule {
  return (context) => ({
    OperationDefinition(operation) {
      const { size } = responseNames(operation.selectionSet, context);
      if (size <= max) return;
      const message = `An operation may have at most ${max} fields at its root, not ${size}.`;
      context.reportError(new GraphQLError(message, { nodes: operation }));
    },
  });
}

function responseNames(root: SelectionSetNode, context: ValidationContext): ReadonlySet<string> {
  const names = new Set<string>();
  const visited = new Set<string>();

  function visit({ selections }: SelectionSetNode): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) names.add((selection.alias ?? selection.name).value);
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

  visit(root);
  return names;
}
