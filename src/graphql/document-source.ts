import {
  type ASTNode,
  type DocumentNode,
  type GraphQLError,
  parse,
  Source,
  type SourceLocation,
  visit,
} from 'graphql';
import { parseOptions } from './document-rules.ts';

/** Locations that one error shows: of 300 fields merged into one, the first ones are enough. */
export const maxLocations = 4;

/** The text of each document, once its source is empty. */
const texts = new WeakMap<Source, string>();

/**
 * Parses a document, whose source is then empty: graphql-js searches a source for line ends whenever it makes an error,
 * however many errors there are and whether or not anybody sees them. `locationsOf` knows where they are. Its nodes know
 * their places but no tokens, which are a fifth of its memory and which nothing reads once it is parsed.
 *
 * @throws GraphQLError for a syntax error.
 */
export function parseDocument(text: string): DocumentNode {
  const source = new Source(text);
  const document = parse(source, parseOptions);
  texts.set(source, text);
  source.body = '';
  visit(document, { enter: dropTokens });
  return document;
}

function dropTokens({ loc }: ASTNode): void {
  if (loc) Object.assign(loc, { startToken: undefined, endToken: undefined });
}

/** Where in its document an error is, the first places only. */
export function locationsOf({
  source,
  positions,
  locations,
}: GraphQLError): readonly SourceLocation[] | undefined {
  const text = source && texts.get(source);
  if (text === undefined) return locations?.slice(0, maxLocations);
  return positions?.slice(0, maxLocations).map((position) => locate(text, position));
}

/** Counts line ends as graphql-js does. */
function locate(text: string, position: number): SourceLocation {
  let line = 1;
  let start = 0;
  for (let index = 0; index < position; index += 1) {
    if (!endsLine(text, index)) continue;
    line += 1;
    start = index + 1;
  }
  return { line, column: position - start + 1 };
}

/** A carriage return before a line feed ends no line: the line feed does. */
function endsLine(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code === 0x0a || (code === 0x0d && text.charCodeAt(index + 1) !== 0x0a);
}
