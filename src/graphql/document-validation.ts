import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  NoFragmentCyclesRule,
  OverlappingFieldsCanBeMergedRule,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql';
import { maxErrors } from './describe-error.ts';
import { documentLimits } from './document-rules.ts';
import { documentSizeRules } from './document-size-rules.ts';
import { mergeableFieldsRule } from './mergeable-fields-rule.ts';

export interface DocumentValidationOptions {
  readonly schema: GraphQLSchema;
  /** Besides graphql-js's own. */
  readonly rules: readonly ValidationRule[];
  /** Whether an error may suggest names of the schema ("Did you mean ..."). */
  readonly suggestions: boolean;
}

/** What is wrong with a document: at most as many errors as an answer shows, and none for a valid one. */
export type ValidateDocument = (document: DocumentNode) => readonly GraphQLError[];

/** Rules of graphql-js that run in the first pass, or that are replaced by a linear one. */
const otherwiseChecked: ReadonlySet<ValidationRule> = new Set([
  NoFragmentCyclesRule,
  OverlappingFieldsCanBeMergedRule,
]);

/**
 * Validates by graphql-js's own rules and ours, in time linear in the document: what may be exponential in its spreads is
 * limited in a first pass, and no other rule reads a document over that limit.
 */
export function createDocumentValidation(options: DocumentValidationOptions): ValidateDocument {
  const { schema, rules, suggestions } = options;
  const sizeRules = documentSizeRules(documentLimits);
  const allRules = [
    ...specifiedRules.filter((rule) => !otherwiseChecked.has(rule)),
    mergeableFieldsRule,
    ...rules,
  ];
  // graphql-js adds one more, which says that there are more.
  const validationOptions = { maxErrors: maxErrors - 1, hideSuggestions: !suggestions };

  return (document) => {
    const errors = validate(schema, document, sizeRules, validationOptions);
    return errors.length > 0 ? errors : validate(schema, document, allRules, validationOptions);
  };
}
