import {
  type DefinitionNode,
  type DirectiveNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

/**
 * No `@skip` and `@include` at the root of a subscription, through fragments too: what it watches must be known before
 * it begins. (GraphQL, September 2025, 5.2.4.1 "Single Root Field".)
 *
 * graphql-js 16 does not refuse them: it throws, from validation where the condition is a variable, and from
 * `subscribe` where nothing is left. So the null: none of the other rules is to see such a document.
 */
export const unconditionalSubscriptionRule: ValidationRule = (context) => ({
  Document({ definitions }) {
    const nodes = definitions
      .filter(isSubscription)
      .flatMap(({ selectionSet }) => conditionsAtRoot(selectionSet, context));
    if (nodes.length === 0) return undefined;
    const message = 'The field at the root of a subscription takes neither @skip nor @include.';
    context.reportError(new GraphQLError(message, { nodes }));
    return null;
  },
});

function isSubscription(definition: DefinitionNode): definition is OperationDefinitionNode {
  return (
    definition.kind === Kind.OPERATION_DEFINITION && definition.operation === OperationTypeNode.SUBSCRIPTION
  );
}

function conditionsAtRoot(root: SelectionSetNode, context: ValidationContext): readonly DirectiveNode[] {
  const visited = new Set<string>();

  function visit({ selections }: SelectionSetNode): readonly DirectiveNode[] {
    return selections.flatMap((selection) => {
      const conditions = (selection.directives ?? []).filter(isCondition);
      if (selection.kind === Kind.INLINE_FRAGMENT) return [...conditions, ...visit(selection.selectionSet)];
      if (selection.kind === Kind.FRAGMENT_SPREAD)
        return [...conditions, ...visitFragment(selection.name.value)];
      return conditions;
    });
  }

  function visitFragment(name: string): readonly DirectiveNode[] {
    if (visited.has(name)) return [];
    visited.add(name);
    const fragment = context.getFragment(name);
    return fragment ? visit(fragment.selectionSet) : [];
  }

  return visit(root);
}

function isCondition({ name }: DirectiveNode): boolean {
  return name.value === 'skip' || name.value === 'include';
}
