import { useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';

/**
 * Shows the variables of the tab that is open when the page loads. GraphiQL shows those of every other tab by
 * itself, and of this one only the query (graphql/graphiql#3392).
 */
export function FirstTabVariables() {
  const editor = useGraphiQL((state) => state.variableEditor);
  const variables = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.variables);

  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each editor; later changes are the reader's.
  useEffect(() => {
    if (editor?.getValue() === '' && variables) editor.setValue(variables);
  }, [editor]);

  return null;
}
