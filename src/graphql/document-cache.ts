import { type DocumentNode, GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { parseDocument } from './document-source.ts';
import { createDocumentValidation, type DocumentValidationOptions } from './document-validation.ts';

/** A valid document. It is kept, so what is made of it later may be kept with it. */
export interface ValidDocument {
  readonly document: DocumentNode;
  /** What it counts towards a bound on documents. */
  readonly size: number;
  readonly errors?: undefined;
}

/** Why a document is refused. */
export interface InvalidDocument {
  readonly document?: undefined;
  readonly errors: readonly GraphQLError[];
}

export type CheckedDocument = ValidDocument | InvalidDocument;

export interface DocumentCacheOptions extends DocumentValidationOptions {
  /** Bytes of one document, comments included. */
  readonly maxDocumentBytes: number;
}

/** What a document counts besides its characters: `{a1}` takes 1.9 KB. */
const fixedSize = 2_000;
/**
 * The size of all documents kept: 260 small ones, or 180 of those that are dearest for their size, which have nothing but
 * short tokens and take 250 KB each. So they are at most about 45 MB, however many different ones there are.
 */
export const maxCachedSize = 512 * 1024;

/** What a document counts towards a bound on documents: its characters and a fixed part. */
export function documentSize(source: string): number {
  return source.length + fixedSize;
}

/**
 * Parses and validates each document, for all transports. A valid one is kept, the least recently used ones being
 * dropped: without that, every operation costs about 80 µs more.
 */
export function createDocumentCache(options: DocumentCacheOptions): (source: string) => CheckedDocument {
  const check = createDocumentCheck(options);
  const valid = new LRUCache<string, ValidDocument>({
    maxSize: maxCachedSize,
    sizeCalculation: ({ size }) => size,
  });

  return (source) => {
    const known = valid.get(source);
    if (known) return known;
    const checked = check(source);
    if (checked.document) valid.set(source, checked);
    return checked;
  };
}

function createDocumentCheck(options: DocumentCacheOptions): (source: string) => CheckedDocument {
  const { maxDocumentBytes } = options;
  const validate = createDocumentValidation(options);

  return (source) => {
    const bytes = Buffer.byteLength(source);
    if (bytes > maxDocumentBytes) return { errors: [tooLarge(bytes, maxDocumentBytes)] };
    const { document, errors } = parse(source);
    if (!document) return { errors };
    try {
      const faults = validate(document);
      if (faults.length === 0) return { document, size: documentSize(source) };
      return { errors: faults.map((fault) => withCode(fault, 'GRAPHQL_VALIDATION_FAILED')) };
    } catch (cause) {
      return { errors: [brokenRule(cause)] };
    }
  };
}

/** A rule reports what is wrong with a document; one that throws is broken itself. */
function brokenRule(cause: unknown): GraphQLError {
  const originalError = new Error('a document could not be validated', { cause });
  return new GraphQLError(originalError.message, { originalError });
}

function tooLarge(bytes: number, maxBytes: number): GraphQLError {
  const message = `The document has ${bytes} bytes; it may have at most ${maxBytes}, comments included.`;
  return new GraphQLError(message, { extensions: { code: 'GRAPHQL_PARSE_FAILED' } });
}

function parse(
  source: string,
): { readonly document: DocumentNode; readonly errors?: undefined } | InvalidDocument {
  try {
    return { document: parseDocument(source) };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [withCode(error, 'GRAPHQL_PARSE_FAILED')] };
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
