import {
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  NoFragmentCyclesRule,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

export interface DocumentSizeLimits {
  /** Characters of a name, aliases included: each answer repeats it, and each error's path. */
  readonly nameCharacters: number;
  /** Fields and spreads of all operations and fragments, each counted as often as a spread repeats it. */
  readonly expandedSelections: number;
}

/**
 * What a document has to pass before any other rule reads it: no fragment within itself, and no more selections than a
 * fixed number once every spread stands for its fragment. So a rule may follow spreads without being exponential.
 */
export function documentSizeRules(limits: DocumentSizeLimits): readonly ValidationRule[] {
  return [
    NoFragmentCyclesRule,
    maxNameRule(limits.nameCharacters),
    maxExpandedSelectionsRule(limits.expandedSelections),
  ];
}

function maxNameRule(max: number): ValidationRule {
  return (context) => ({
    Name(node) {
      if (node.value.length <= max) return;
      context.reportError(new GraphQLError(`A name may have at most ${max} characters.`, { nodes: node }));
    },
  });
}

function maxExpandedSelectionsRule(max: number): ValidationRule {
  return (context) => ({
    Document({ definitions }) {
      const sizeOf = createExpandedSizes(context);
      const executable = definitions.filter((definition) => 'selectionSet' in definition);
      const size = executable.reduce((sum, definition) => sum + sizeOf(definition), 0);
      if (size <= max) return;
      const message = `A document may have at most ${max} fields, each counted wherever its fragment is spread.`;
      context.reportError(new GraphQLError(message));
    },
  });
}

type Executable = OperationDefinitionNode | FragmentDefinitionNode;

/** Each fragment is counted once. One within itself counts as nothing there: another rule reports it. */
function createExpandedSizes(context: ValidationContext): (definition: Executable) => number {
  const sizes = new Map<string, number>();

  function sizeOfFragment(name: string): number {
    const known = sizes.get(name);
    if (known !== undefined) return known;
    sizes.set(name, 0);
    const fragment = context.getFragment(name);
    const size = fragment ? sizeOf(fragment.selectionSet) : 0;
    sizes.set(name, size);
    return size;
  }

  function sizeOf({ selections }: SelectionSetNode): number {
    let size = selections.length;
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) size += sizeOfFragment(selection.name.value);
      else if (selection.selectionSet) size += sizeOf(selection.selectionSet);
    }
    return size;
  }

  return ({ selectionSet }) => sizeOf(selectionSet);
}
