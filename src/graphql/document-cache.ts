import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  parse,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { parseOptions } from './document-rules.ts';

/** A valid document, or why it is none. */
export type CheckedDocument = DocumentNode | readonly GraphQLError[];

/**
 * The characters of all documents kept. Parsed, a document takes 50 to 150 times as many bytes as it has characters,
 * so these are at most about 40 MiB: no flood of different documents fills the memory.
 */
export const maxCachedCharacters = 256 * 1024;

/**
 * Parses and validates each document, by graphql-js's own rules and `rules`. A valid one is kept: without that, every
 * subscribe costs about 80 µs more. Apollo Server has the same for HTTP.
 */
export function createDocumentCache(
  schema: GraphQLSchema,
  rules: readonly ValidationRule[],
): (source: string) => CheckedDocument {
  const allRules = [...specifiedRules, ...rules];
  const valid = new LRUCache<string, DocumentNode>({
    maxSize: maxCachedCharacters,
    sizeCalculation: (_document, source) => source.length + 1,
  });

  return (source) => {
    const known = valid.get(source);
    if (known) return known;
    const checked = checkDocument(schema, allRules, source);
    if (isDocument(checked)) valid.set(source, checked);
    return checked;
  };
}

function isDocument(checked: CheckedDocument): checked is DocumentNode {
  return 'kind' in checked;
}

function checkDocument(
  schema: GraphQLSchema,
  rules: readonly ValidationRule[],
  source: string,
): CheckedDocument {
  const document = parseDocument(source);
  if (!isDocument(document)) return document;
  try {
    const errors = validate(schema, document, rules);
    return errors.length === 0
      ? document
      : errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
  } catch (cause) {
    // A rule reports what is wrong with a document; one that throws is broken itself.
    const originalError = new Error('a document could not be validated', { cause });
    return [new GraphQLError(originalError.message, { originalError })];
  }
}

function parseDocument(source: string): CheckedDocument {
  try {
    return parse(source, parseOptions);
  } catch (error) {
    if (error instanceof GraphQLError) return [withCode(error, 'GRAPHQL_PARSE_FAILED')];
    throw error;
  }
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    extensions: { code },
  });
}
