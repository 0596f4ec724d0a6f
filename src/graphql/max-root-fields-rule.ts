import { GraphQLError, type ValidationRule } from 'graphql';
import { collectFields } from './mergeable-fields-rule.ts';

/**
 * At most `max` different fields at the root of each operation, through fragments too. Fields with one response name
 * are run once, and so count once.
 */
export function maxRootFieldsRule(max: number): ValidationRule {
  return (context) => ({
    OperationDefinition(operation) {
      const { size } = collectFields([operation.selectionSet], context);
      if (size <= max) return;
      const message = `An operation may have at most ${max} fields at its root, not ${size}.`;
      context.reportError(new GraphQLError(message, { nodes: operation }));
    },
  });
}
